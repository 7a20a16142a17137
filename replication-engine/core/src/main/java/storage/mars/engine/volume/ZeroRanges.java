// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import java.util.Arrays;

/**
 * Zero ranges of one layer, disjoint and sorted, four longs to a row (start key, end key, order,
 * since). Where ranges overlap, the newest keeps the blocks and takes over the smallest since. Rows
 * lie in chunks of bounded size, so however many there are, a change moves the rest of one chunk
 * only; search is binary. A row's number is good until the next change, and {@link #next} leads
 * from one to the other.
 */
final class ZeroRanges {

    /** No row. */
    static final int NONE = -1;

    private static final int CHUNK_SHIFT = 8;
    private static final int MAX_ROWS = 1 << CHUNK_SHIFT;
    private static final int MIN_ROWS = 16;

    private static final int END = 1;
    private static final int ORDER = 2;
    private static final int SINCE = 3;
    private static final int STRIDE = 4;

    private static final int MIN_CHUNKS = 4;
    private static final int KEPT_CHUNKS = 64;
    private static final long[] NO_ROWS = {};
    private static final long[][] NO_CHUNKS = {};
    private static final int[] NO_COUNTS = {};

    private final SinceLedger ledger;
    private final int[] perVolume = new int[BlockKey.VOLUMES];
    private long[][] chunks = NO_CHUNKS;
    private int[] counts = NO_COUNTS;
    private int chunkCount;
    private int size;
    private long moved;
    private long boundary;
    private boolean covered;

    /** The memory of a chunk that has become empty, for the next one. */
    private long[] unused = NO_ROWS;

    ZeroRanges(SinceLedger ledger) {
        this.ledger = ledger;
    }

    int size() {
        return size;
    }

    int size(int volume) {
        return perVolume[volume];
    }

    /** Rows that changes have moved so far: what they cost beyond the search. */
    long moved() {
        return moved;
    }

    /** The row of the smallest keys, or {@link #NONE}. */
    int first() {
        return size == 0 ? NONE : 0;
    }

    /** The row behind {@code row}, or {@link #NONE}. */
    int next(int row) {
        int chunk = row >> CHUNK_SHIFT;
        if (offset(row) + 1 < counts[chunk]) {
            return row + 1;
        }
        return chunk + 1 < chunkCount ? (chunk + 1) << CHUNK_SHIFT : NONE;
    }

    long start(int row) {
        return chunks[row >> CHUNK_SHIFT][offset(row) * STRIDE];
    }

    long end(int row) {
        return chunks[row >> CHUNK_SHIFT][offset(row) * STRIDE + END];
    }

    long order(int row) {
        return chunks[row >> CHUNK_SHIFT][offset(row) * STRIDE + ORDER];
    }

    long since(int row) {
        return chunks[row >> CHUNK_SHIFT][offset(row) * STRIDE + SINCE];
    }

    private static int offset(int row) {
        return row & (MAX_ROWS - 1);
    }

    private void set(int row, int field, long value) {
        chunks[row >> CHUNK_SHIFT][offset(row) * STRIDE + field] = value;
    }

    /** Starts a walk over ascending keys with {@link #covers}. */
    void seek(long key) {
        int row = firstEndingAfter(key);
        covered = row != NONE && start(row) <= key;
        boundary = row == NONE ? Long.MAX_VALUE : covered ? end(row) : start(row);
    }

    /** Whether {@code key}, at or behind the last one asked for, lies in a range. */
    boolean covers(long key) {
        if (key >= boundary) {
            seek(key);
        }
        return covered;
    }

    /** Where behind {@code key} the answer of {@link #covers} may change, on the same walk. */
    long boundary(long key) {
        if (key >= boundary) {
            seek(key);
        }
        return boundary;
    }

    /** Adds a range, except where newer ones lie: these take over its since. */
    void add(long start, long end, long order, long since) {
        long at = start;
        for (int row = firstEndingAfter(at); at < end; row = firstEndingAfter(at)) {
            while (row != NONE && start(row) < end && order(row) <= order) {
                row = next(row);
            }
            boolean newer = row != NONE && start(row) < end;
            long pieceEnd = newer ? start(row) : end;
            long next = newer ? end(row) : end;
            if (newer) {
                lowerSince(row, since);
            }
            if (at < pieceEnd) {
                place(at, pieceEnd, order, since);
            }
            at = next;
        }
    }

    /** Removes what is left of the range of exactly this record. */
    void remove(long start, long end, long order) {
        int row = firstEndingAfter(start);
        while (row != NONE && start(row) < end) {
            if (order(row) == order) {
                ledger.remove(since(row));
                row = drop(row, 1);
            } else {
                row = next(row);
            }
        }
    }

    /**
     * Whether a range newer than {@code order} covers the block, whose older version then needs no
     * entry: the range takes over its since.
     */
    boolean supersedes(long key, long order, long since) {
        int row = firstEndingAfter(key);
        if (row == NONE || start(row) > key || order(row) < order) {
            return false;
        }
        lowerSince(row, since);
        return true;
    }

    /** Forgets all ranges; the ledger is the caller's. */
    void clear() {
        if (chunkCount > 0) {
            unused = chunks[0];
        }
        Arrays.fill(chunks, 0, chunkCount, NO_ROWS);
        Arrays.fill(perVolume, 0);
        chunkCount = 0;
        size = 0;
        releaseLargeList();
    }

    /** Gives the memory back if there is no range. */
    void trim() {
        if (size == 0) {
            chunks = NO_CHUNKS;
            counts = NO_COUNTS;
            unused = NO_ROWS;
        }
    }

    long memoryBytes() {
        long longs = unused.length;
        for (int i = 0; i < chunkCount; i++) {
            longs += chunks[i].length;
        }
        return longs * Long.BYTES + counts.length * (long) (Long.BYTES + Integer.BYTES);
    }

    private void lowerSince(int row, long since) {
        if (since < since(row)) {
            ledger.add(since);
            ledger.remove(since(row));
            set(row, SINCE, since);
        }
    }

    /** Puts a range over the older ones there; of those cut in two, both ends stay. */
    private void place(long start, long end, long order, long since) {
        long oldest = cutOut(start, end, since);
        ledger.add(oldest);
        insert(start, end, order, oldest);
    }

    /** Returns the smallest since of what lay there and {@code since}. */
    private long cutOut(long start, long end, long since) {
        long oldest = since;
        int row = firstEndingAfter(start);
        if (row != NONE && start(row) < start) {
            oldest = Math.min(oldest, since(row));
            long tailEnd = end(row);
            set(row, END, start);
            if (tailEnd > end) {
                ledger.add(since(row));
                insert(end, tailEnd, order(row), since(row));
                return oldest;
            }
            row = next(row);
        }
        while (row != NONE && end(row) <= end) {
            int rows = 0;
            int most = counts[row >> CHUNK_SHIFT] - offset(row);
            for (; rows < most && end(row + rows) <= end; rows++) {
                oldest = Math.min(oldest, since(row + rows));
                ledger.remove(since(row + rows));
            }
            row = drop(row, rows);
        }
        if (row != NONE && start(row) < end) {
            oldest = Math.min(oldest, since(row));
            set(row, 0, end);
        }
        return oldest;
    }

    /** Removes rows of one chunk and returns the row that follows. */
    private int drop(int row, int rows) {
        int chunk = row >> CHUNK_SHIFT;
        perVolume[BlockKey.volume(start(row))] -= rows;
        size -= rows;
        moveRows(chunk, offset(row) + rows, offset(row));
        if (counts[chunk] == 0) {
            unused = chunks[chunk];
            chunkCount--;
            System.arraycopy(chunks, chunk + 1, chunks, chunk, chunkCount - chunk);
            System.arraycopy(counts, chunk + 1, counts, chunk, chunkCount - chunk);
            chunks[chunkCount] = NO_ROWS;
            releaseLargeList();
            return chunk < chunkCount ? chunk << CHUNK_SHIFT : NONE;
        }
        return offset(row) < counts[chunk] ? row : next(row - 1);
    }

    private void releaseLargeList() {
        if (chunkCount == 0 && counts.length > KEPT_CHUNKS) {
            chunks = NO_CHUNKS;
            counts = NO_COUNTS;
        }
    }

    /** Inserts a range where none is. */
    private void insert(long start, long end, long order, long since) {
        int at = placeFor(start);
        int chunk = at >> CHUNK_SHIFT;
        int offset = offset(at);
        moveRows(chunk, offset, offset + 1);
        set(at, 0, start);
        set(at, END, end);
        set(at, ORDER, order);
        set(at, SINCE, since);
        size++;
        perVolume[BlockKey.volume(start)]++;
    }

    /** The row that a range that begins at {@code key} gets, in a chunk that has room. */
    private int placeFor(long key) {
        int row = firstEndingAfter(key);
        int chunk = row == NONE ? chunkCount - 1 : row >> CHUNK_SHIFT;
        int offset = row == NONE && chunk >= 0 ? counts[chunk] : offset(row);
        if (chunk < 0 || offset == MAX_ROWS) {
            addChunk(chunk + 1);
            return (chunk + 1) << CHUNK_SHIFT;
        }
        if (counts[chunk] == MAX_ROWS) {
            split(chunk);
            if (offset > counts[chunk]) {
                offset -= counts[chunk];
                chunk++;
            }
        }
        return (chunk << CHUNK_SHIFT) + offset;
    }

    private void split(int chunk) {
        int kept = MAX_ROWS / 2;
        addChunk(chunk + 1);
        reserve(chunk + 1, MAX_ROWS);
        System.arraycopy(
                chunks[chunk], kept * STRIDE, chunks[chunk + 1], 0, (MAX_ROWS - kept) * STRIDE);
        moved += MAX_ROWS - kept;
        counts[chunk] = kept;
        counts[chunk + 1] = MAX_ROWS - kept;
    }

    private void addChunk(int at) {
        if (chunkCount == counts.length) {
            int length = Math.max(MIN_CHUNKS, chunkCount * 2);
            chunks = Arrays.copyOf(chunks, length);
            Arrays.fill(chunks, chunkCount, length, NO_ROWS);
            counts = Arrays.copyOf(counts, length);
        }
        System.arraycopy(chunks, at, chunks, at + 1, chunkCount - at);
        System.arraycopy(counts, at, counts, at + 1, chunkCount - at);
        chunks[at] = unused;
        counts[at] = 0;
        unused = NO_ROWS;
        chunkCount++;
    }

    /** Moves the rows of a chunk from {@code from} on to {@code to}, and its count with them. */
    private void moveRows(int chunk, int from, int to) {
        int rest = counts[chunk] - from;
        reserve(chunk, to + rest);
        long[] rows = chunks[chunk];
        System.arraycopy(rows, from * STRIDE, rows, to * STRIDE, rest * STRIDE);
        counts[chunk] = to + rest;
        moved += rest;
    }

    private void reserve(int chunk, int rows) {
        int length = chunks[chunk].length;
        if (rows * STRIDE > length) {
            int wanted = Math.max(MIN_ROWS, Integer.highestOneBit(rows * 2 - 1));
            chunks[chunk] = Arrays.copyOf(chunks[chunk], Math.max(wanted * STRIDE, length));
        }
    }

    private int firstEndingAfter(long key) {
        int chunk = firstChunkEndingAfter(key);
        if (chunk == chunkCount) {
            return NONE;
        }
        long[] rows = chunks[chunk];
        int low = 0;
        int high = counts[chunk] - 1;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (rows[middle * STRIDE + END] <= key) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return (chunk << CHUNK_SHIFT) + low;
    }

    private int firstChunkEndingAfter(long key) {
        int low = 0;
        int high = chunkCount;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (chunks[middle][(counts[middle] - 1) * STRIDE + END] <= key) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }
}
