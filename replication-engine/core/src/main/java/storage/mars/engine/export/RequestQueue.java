// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.export;

import org.jspecify.annotations.Nullable;

/**
 * A first-in-first-out queue that is threaded through the requests themselves, so that it allocates
 * nothing.
 */
final class RequestQueue {

    private @Nullable BlockRequest head;
    private @Nullable BlockRequest tail;

    boolean isEmpty() {
        return head == null;
    }

    @Nullable BlockRequest peek() {
        return head;
    }

    void add(BlockRequest request) {
        request.next = null;
        BlockRequest last = tail;
        if (last == null) {
            head = request;
        } else {
            last.next = request;
        }
        tail = request;
    }

    void addFirst(BlockRequest request) {
        request.next = head;
        head = request;
        if (tail == null) {
            tail = request;
        }
    }

    @Nullable BlockRequest poll() {
        BlockRequest first = head;
        if (first != null) {
            head = first.next;
            if (head == null) {
                tail = null;
            }
            first.next = null;
        }
        return first;
    }

    /** Takes out all requests of one attachment, keeping the order of both. */
    RequestQueue removeOf(Attachment attachment) {
        RequestQueue removed = new RequestQueue();
        RequestQueue kept = new RequestQueue();
        for (BlockRequest request = poll(); request != null; request = poll()) {
            (request.isOf(attachment) ? removed : kept).add(request);
        }
        head = kept.head;
        tail = kept.tail;
        return removed;
    }
}
