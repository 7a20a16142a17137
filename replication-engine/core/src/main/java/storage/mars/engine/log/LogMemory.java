// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The memory of all log windows of one shard: a bounded number of chunks of {@link
 * LogFormat#MAX_FRAME} bytes, made when first needed and kept. A window holds at most its share and
 * gives up what it only caches when another needs it; what it has given up while it was lent counts
 * as taken until it is given back. Two chunks beyond the bound exist for control records alone.
 * Owned by the shard.
 */
public final class LogMemory {

    private static final int CONTROL_CHUNKS = 2;

    private final int limit;
    private final ArrayDeque<ByteBuffer> free = new ArrayDeque<>();
    private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
    private final Set<LogWindow> windows = new LinkedHashSet<>();
    private int made;
    private int taken;
    private int lent;

    /** {@code bytes} is rounded down to whole chunks; at least four. */
    public LogMemory(long bytes) {
        limit = (int) Math.max(4, bytes / LogFormat.MAX_FRAME);
    }

    /** Chunks that one resource may hold at a time. */
    int share() {
        return Math.max(3, limit / 2);
    }

    /** Bytes handed out now. */
    public long takenBytes() {
        return (long) taken * LogFormat.MAX_FRAME;
    }

    public long limitBytes() {
        return (long) limit * LogFormat.MAX_FRAME;
    }

    void register(LogWindow window) {
        windows.add(window);
    }

    void unregister(LogWindow window) {
        windows.remove(window);
    }

    /**
     * A chunk, or null when none can be had now; then {@link #whenFree} tells when to ask again.
     */
    @Nullable ByteBuffer take(boolean control) {
        if (taken >= limit) {
            reclaim();
        }
        if (taken >= limit + (control ? CONTROL_CHUNKS : 0)) {
            return null;
        }
        taken++;
        ByteBuffer chunk = free.poll();
        return chunk != null ? chunk : make();
    }

    /** Whether {@link #take} would find a chunk for data now. */
    boolean hasFree() {
        if (taken < limit) {
            return true;
        }
        for (LogWindow window : windows) {
            if (window.hasCached()) {
                return true;
            }
        }
        return false;
    }

    private ByteBuffer make() {
        made++;
        ByteBuffer raw = ByteBuffer.allocateDirect(LogFormat.MAX_FRAME + LogFormat.BLOCK);
        ByteBuffer aligned = raw.alignedSlice(LogFormat.BLOCK);
        return aligned.slice(0, LogFormat.MAX_FRAME).order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * From the oldest parts of busy windows first, then all of an idle one. Lent chunks in front of
     * what is free to be used are given up too; their memory comes when it is given back.
     */
    private void reclaim() {
        for (LogWindow window : windows) {
            while (window.hasCached() && window.dropOldestCached()) {
                if (taken < limit) {
                    return;
                }
            }
        }
        for (LogWindow window : windows) {
            if (window.hasCached() && window.dropAllCached() && taken < limit) {
                return;
            }
        }
    }

    /**
     * Whether one more chunk may be read outside of the shard, by somebody who has so many already:
     * a slow device that they are written to must not take the memory that the logs need.
     */
    boolean lend(int already) {
        boolean lends = lent < limit / 4 && already < Math.max(1, limit / 8);
        if (lends) {
            lent++;
        }
        return lends;
    }

    void takeBack() {
        lent--;
    }

    void give(ByteBuffer chunk) {
        taken--;
        if (made > limit) {
            made--;
        } else {
            free.push(chunk);
        }
        cacheGrew();
    }

    /**
     * Something is free, or only cached, that was not: all who wait may ask again, in their order,
     * since nobody knows which of them still needs it.
     */
    void cacheGrew() {
        for (int i = waiting.size(); i > 0; i--) {
            waiting.remove().run();
        }
    }

    /**
     * Runs {@code task} once, when a chunk may be free; first come, first served. It may run inside
     * of any call, so it only gives work to the shard.
     */
    public void whenFree(Runnable task) {
        waiting.add(task);
    }
}
