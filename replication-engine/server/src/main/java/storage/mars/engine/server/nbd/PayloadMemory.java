// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * Where the payloads of one shard's requests lie: large ones in buffers that are kept for the next
 * request, the last one used first, because its memory is still in the processor's cache; small
 * ones in the allocator's. What may be in use at a time is bounded by {@link PayloadBudget}, what
 * is kept by {@link #MAX_KEPT}. Used on its shard.
 */
final class PayloadMemory {

    /** An allocator keeps buffers up to this size well enough itself. */
    static final int SMALL = 64 << 10;

    static final long MAX_KEPT = 24L << 20;
    private static final int SIZES = 10;

    private final ByteBufAllocator allocator;
    private final EventLoop shard;
    private final List<ArrayDeque<PayloadBuffer>> free = new ArrayList<>(SIZES);
    private long kept;
    private boolean closed;

    PayloadMemory(ByteBufAllocator allocator, EventLoop shard) {
        this.allocator = allocator;
        this.shard = shard;
        for (int size = 0; size < SIZES; size++) {
            free.add(new ArrayDeque<>());
        }
    }

    /**
     * An empty buffer for {@code headroom} and {@code payload} bytes, with the caller as holder.
     */
    ByteBuf take(int headroom, int payload) {
        if (payload <= SMALL) {
            return allocator.directBuffer(headroom + payload, headroom + payload);
        }
        int size = sizeOf(payload);
        PayloadBuffer buffer = free.get(size).pollLast();
        if (buffer == null) {
            buffer = new PayloadBuffer(this, allocator, RequestSlot.HEADROOM + bytesOf(size));
        } else {
            kept -= bytesOf(size);
            buffer.reuse();
        }
        return buffer.show(headroom + payload);
    }

    /** Takes back a buffer that nobody holds; false when there is no room for it. */
    boolean keep(PayloadBuffer buffer) {
        int bytes = buffer.size() - RequestSlot.HEADROOM;
        if (closed || !shard.inEventLoop() || kept + bytes > MAX_KEPT) {
            return false;
        }
        kept += bytes;
        free.get(sizeOf(bytes)).addLast(buffer);
        return true;
    }

    /** Keeps nothing any more. */
    void close() {
        closed = true;
        for (ArrayDeque<PayloadBuffer> buffers : free) {
            buffers.forEach(PayloadBuffer::free);
            buffers.clear();
        }
        kept = 0;
    }

    /** Bytes that are kept and not in use. */
    long keptBytes() {
        return kept;
    }

    private static int bytesOf(int size) {
        return (2 * SMALL) << size;
    }

    private static int sizeOf(int payload) {
        int size = 0;
        while (bytesOf(size) < payload) {
            size++;
        }
        return size;
    }
}
