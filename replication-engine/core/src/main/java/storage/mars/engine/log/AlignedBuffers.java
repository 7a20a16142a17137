// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.function.Consumer;

/**
 * The staging memory of one shard for everything but the log windows: write-back, reads of segments, sync. A fixed
 * number of aligned buffers of {@link LogFormat#MAX_FRAME} bytes, made when first needed; who finds none waits, first
 * come, first served. Owned by the shard.
 */
public final class AlignedBuffers {

    private final int limit;
    private final ArrayDeque<ByteBuffer> free = new ArrayDeque<>();
    private final ArrayDeque<Consumer<ByteBuffer>> waiting = new ArrayDeque<>();
    private int made;

    public AlignedBuffers(int limit) {
        this.limit = limit;
    }

    /** Gives {@code user} a buffer, cleared, now or when one is free; it is given back by {@link #release}. */
    public void acquire(Consumer<ByteBuffer> user) {
        ByteBuffer buffer = free.poll();
        if (buffer == null && made < limit) {
            made++;
            buffer = ByteBuffer.allocateDirect(LogFormat.MAX_FRAME + LogFormat.BLOCK)
                    .alignedSlice(LogFormat.BLOCK)
                    .slice(0, LogFormat.MAX_FRAME)
                    .order(ByteOrder.LITTLE_ENDIAN);
        }
        if (buffer == null) {
            waiting.add(user);
        } else {
            user.accept(buffer.clear());
        }
    }

    public void release(ByteBuffer buffer) {
        Consumer<ByteBuffer> next = waiting.poll();
        if (next == null) {
            free.push(buffer);
        } else {
            next.accept(buffer.clear());
        }
    }
}
