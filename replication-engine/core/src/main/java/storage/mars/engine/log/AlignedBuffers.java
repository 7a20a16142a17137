// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * The staging memory of one shard for everything but the log windows: write-back, reads of
 * segments, sync. A fixed number of aligned buffers of {@link LogFormat#MAX_FRAME} bytes, made when
 * first needed; who finds none waits, first come, first served. Nobody waits for a buffer that is
 * held by somebody who waits: see the two ways to get them. Owned by the shard.
 */
public final class AlignedBuffers {

    /** Buffers that staging never takes, so that single users always get on. */
    private static final int FOR_SINGLE_USE = 2;

    private final int limit;
    private final ArrayDeque<ByteBuffer> free = new ArrayDeque<>();
    private final ArrayDeque<Consumer<ByteBuffer>> waiting = new ArrayDeque<>();
    private final ArrayDeque<Staging> stagingWaiting = new ArrayDeque<>();
    private int singles;
    private int staged;

    private record Staging(int count, Consumer<List<ByteBuffer>> user) {}

    /** At least three are needed. */
    public AlignedBuffers(int limit) {
        this.limit = Math.max(FOR_SINGLE_USE + 1, limit);
    }

    /**
     * Gives {@code user} a buffer, cleared, now or when one is free; it is given back by {@link
     * #release}. Until then its user waits for I/O only, never for another buffer.
     */
    public void acquire(Consumer<ByteBuffer> user) {
        waiting.add(user);
        serve();
    }

    public void release(ByteBuffer buffer) {
        singles--;
        free.push(buffer);
        serve();
    }

    /** As many as {@link #acquireStaging} can give. */
    public int maxStaging() {
        return limit - FOR_SINGLE_USE;
    }

    /**
     * Gives {@code user} that many buffers at once, now or when they are free; they are given back
     * by {@link #releaseStaging}. Until then its user may also {@link #acquire} single ones, but no
     * more staging.
     */
    public void acquireStaging(int count, Consumer<List<ByteBuffer>> user) {
        Invariant.check(
                count > 0 && count <= maxStaging(), "there is so much staging", count, limit);
        stagingWaiting.add(new Staging(count, user));
        serve();
    }

    public void releaseStaging(List<ByteBuffer> buffers) {
        staged -= buffers.size();
        buffers.forEach(free::push);
        serve();
    }

    /**
     * While staging waits, single users keep to what is reserved for them, so that neither starves.
     */
    private void serve() {
        boolean served = true;
        while (served) {
            served = serveStaging() || serveSingle();
        }
    }

    private boolean serveStaging() {
        Staging next = stagingWaiting.peek();
        boolean room =
                next != null
                        && staged + next.count <= maxStaging()
                        && staged + singles + next.count <= limit;
        if (next == null || !room) {
            return false;
        }
        stagingWaiting.remove();
        staged += next.count;
        List<ByteBuffer> buffers = new ArrayList<>(next.count);
        for (int i = 0; i < next.count; i++) {
            buffers.add(take());
        }
        next.user.accept(buffers);
        return true;
    }

    private boolean serveSingle() {
        boolean room =
                staged + singles < limit && (stagingWaiting.isEmpty() || singles < FOR_SINGLE_USE);
        Consumer<ByteBuffer> next = room ? waiting.poll() : null;
        if (next == null) {
            return false;
        }
        singles++;
        next.accept(take());
        return true;
    }

    private ByteBuffer take() {
        ByteBuffer buffer = free.poll();
        return buffer == null ? allocate() : buffer.clear();
    }

    /** A new buffer of {@link LogFormat#MAX_FRAME} bytes, aligned to 4096, for the caller. */
    public static ByteBuffer allocate() {
        return ByteBuffer.allocateDirect(LogFormat.MAX_FRAME + LogFormat.BLOCK)
                .alignedSlice(LogFormat.BLOCK)
                .slice(0, LogFormat.MAX_FRAME)
                .order(ByteOrder.LITTLE_ENDIAN);
    }
}
