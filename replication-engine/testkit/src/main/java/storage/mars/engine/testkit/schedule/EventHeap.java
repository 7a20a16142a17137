// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.schedule;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A binary heap of events from which any can be taken out, so that cancelled timers leave nothing.
 */
final class EventHeap {

    private @Nullable Event[] heap = new @Nullable Event[64];
    private int size;

    int size() {
        return size;
    }

    void add(Event event) {
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, size * 2);
        }
        size++;
        rise(event, size - 1);
    }

    @Nullable Event peek() {
        return size == 0 ? null : heap[0];
    }

    @Nullable Event poll() {
        Event first = peek();
        if (first != null) {
            remove(first);
        }
        return first;
    }

    /** Takes {@code event} out; without effect when it is not in. */
    void remove(Event event) {
        int place = event.place;
        if (place < 0) {
            return;
        }
        event.place = -1;
        size--;
        Event last = at(size);
        heap[size] = null;
        if (place < size) {
            rise(last, place);
            sink(last, last.place);
        }
    }

    private void rise(Event event, int from) {
        int place = from;
        while (place > 0) {
            Event parent = at((place - 1) / 2);
            if (!event.isBefore(parent)) {
                break;
            }
            put(parent, place);
            place = (place - 1) / 2;
        }
        put(event, place);
    }

    private void sink(Event event, int from) {
        int place = from;
        while (2 * place + 1 < size) {
            int child = 2 * place + 1;
            if (child + 1 < size && at(child + 1).isBefore(at(child))) {
                child++;
            }
            if (!at(child).isBefore(event)) {
                break;
            }
            put(at(child), place);
            place = child;
        }
        put(event, place);
    }

    private Event at(int place) {
        return Objects.requireNonNull(heap[place]);
    }

    private void put(Event event, int place) {
        heap[place] = event;
        event.place = place;
    }
}
