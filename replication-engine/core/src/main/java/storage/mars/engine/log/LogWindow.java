// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The part of a log that is in memory: its tail, in chunks of whole frames. Chunks below the
 * {@linkplain #keepFrom kept} position are a cache and are given up when memory is needed. Owned by
 * the shard.
 */
final class LogWindow {

    private final LogMemory memory;
    private final List<Chunk> chunks = new ArrayList<>();
    private final ArrayDeque<Chunk> shells = new ArrayDeque<>();
    private long keptFrom;

    LogWindow(LogMemory memory) {
        this.memory = memory;
        memory.register(this);
    }

    /** One stretch of the log in memory: {@code used} bytes from {@code base} on. */
    static final class Chunk {

        private @Nullable ByteBuffer bytes;
        private @Nullable ByteBuffer view;
        long base;
        int used;
        private int lent;
        private boolean givenUp;

        /**
         * Position behind its last frame: base + used, or the end of the segment behind a PAD
         * frame.
         */
        long end;

        ByteBuffer bytes() {
            ByteBuffer b = bytes;
            if (b == null) {
                throw new IllegalStateException("chunk has been released");
            }
            return b;
        }

        /** A second view of the same bytes for I/O, limited to [from, to) of the log. */
        ByteBuffer ioView(long from, long to) {
            ByteBuffer v = view;
            if (v == null) {
                v = bytes().duplicate();
                view = v;
            }
            return v.limit((int) (to - base)).position((int) (from - base));
        }

        int room() {
            return LogFormat.MAX_FRAME - used;
        }

        int offset(long position) {
            return (int) (position - base);
        }
    }

    /** Starts a new chunk at {@code base}; null when there is no memory now. */
    @Nullable Chunk grow(long base, boolean control) {
        if (!control && chunks.size() >= memory.share() && !dropOldestCached()) {
            return null;
        }
        ByteBuffer bytes = memory.take(control);
        if (bytes == null) {
            return null;
        }
        Chunk chunk = shells.isEmpty() ? new Chunk() : shells.pop();
        chunk.bytes = bytes;
        chunk.base = base;
        chunk.end = base;
        chunk.used = 0;
        chunk.givenUp = false;
        chunks.add(chunk);
        return chunk;
    }

    /** Whether {@link #grow} would find memory for data now. */
    boolean canGrow() {
        return (chunks.size() < memory.share() || canDropOldest()) && memory.hasFree();
    }

    @Nullable Chunk last() {
        return chunks.isEmpty() ? null : chunks.getLast();
    }

    /** The chunk that holds the byte at {@code position}; null when it is not in memory. */
    @Nullable Chunk holding(long position) {
        int low = 0;
        int high = chunks.size() - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            Chunk chunk = chunks.get(middle);
            if (position < chunk.base) {
                high = middle - 1;
            } else if (position >= chunk.base + chunk.used) {
                low = middle + 1;
            } else {
                return chunk;
            }
        }
        return null;
    }

    /**
     * The chunk that holds all {@code length} bytes from {@code position} on; null when none does.
     */
    @Nullable Chunk holding(long position, int length) {
        Chunk chunk = holding(position);
        return chunk == null || position + length > chunk.base + chunk.used ? null : chunk;
    }

    /** First position that is in memory, or {@code end} when nothing is. */
    long start(long end) {
        return chunks.isEmpty() ? end : chunks.getFirst().base;
    }

    /** Everything below {@code position} may be given up when memory is needed. */
    void keepFrom(long position) {
        if (position > keptFrom) {
            keptFrom = position;
            memory.cacheGrew();
        }
    }

    /** Gives up the oldest chunk when it is only a cache; the newest is never given up. */
    boolean dropOldestCached() {
        boolean cached = canDropOldest();
        if (cached) {
            release(chunks.removeFirst());
        }
        return cached;
    }

    private boolean canDropOldest() {
        return chunks.size() >= 2 && chunks.getFirst().end <= keptFrom;
    }

    /**
     * Whether memory would come free by {@link #dropOldestCached} or {@link #dropAllCached}: that
     * of the first chunk that is not lent.
     */
    boolean hasCached() {
        for (int i = 0; i < chunks.size(); i++) {
            Chunk chunk = chunks.get(i);
            if (chunk.lent == 0) {
                return i < chunks.size() - 1 ? chunk.end <= keptFrom : !holdsNeeded();
            }
        }
        return false;
    }

    /**
     * The bytes of the chunk are read elsewhere until {@link #takeBack}: the window may give the
     * chunk up meanwhile, but its memory is used for nothing else. False when too much is lent.
     */
    boolean lend(Chunk chunk, int alreadyLent) {
        boolean lends = memory.lend(alreadyLent);
        if (lends) {
            chunk.lent++;
        }
        return lends;
    }

    void takeBack(Chunk chunk) {
        memory.takeBack();
        chunk.lent--;
        if (chunk.lent > 0) {
            return;
        }
        if (chunk.givenUp) {
            recycle(chunk);
        } else {
            memory.cacheGrew();
        }
    }

    /**
     * Gives up all memory; for an idle resource, a cut log or the end. Nothing kept may be lost by
     * it.
     */
    void clear() {
        while (!chunks.isEmpty()) {
            release(chunks.removeLast());
        }
    }

    /** See {@link LogMemory#whenFree}. */
    void whenFree(Runnable task) {
        memory.whenFree(task);
    }

    /**
     * Whether any of it is needed: by {@link #keepFrom}, or because a frame is being gathered
     * there.
     */
    boolean holdsNeeded() {
        if (chunks.isEmpty()) {
            return false;
        }
        Chunk newest = chunks.getLast();
        return newest.end > keptFrom || newest.base + newest.used > newest.end;
    }

    /** Gives up the newest chunk too, when none is needed. */
    boolean dropAllCached() {
        boolean cached = !chunks.isEmpty() && !holdsNeeded();
        if (cached) {
            clear();
        }
        return cached;
    }

    private void release(Chunk chunk) {
        if (chunk.lent > 0) {
            chunk.givenUp = true;
        } else {
            recycle(chunk);
        }
    }

    private void recycle(Chunk chunk) {
        ByteBuffer bytes = chunk.bytes();
        chunk.bytes = null;
        chunk.view = null;
        shells.push(chunk);
        memory.give(bytes);
    }

    void close() {
        clear();
        memory.unregister(this);
    }

    int chunkCount() {
        return chunks.size();
    }
}
