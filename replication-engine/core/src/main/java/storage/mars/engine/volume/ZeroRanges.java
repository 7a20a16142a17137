// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import java.util.Arrays;

/**
 * Zero ranges of one layer, disjoint and sorted, four longs to a row (start key, end key, order,
 * since). Where ranges overlap, the newest keeps the blocks and takes over the smallest since.
 * Search is binary; a change moves the rows behind it.
 */
final class ZeroRanges {

    private static final int END = 1;
    private static final int ORDER = 2;
    private static final int SINCE = 3;
    private static final int STRIDE = 4;

    private static final int MIN_ROWS = 16;
    private static final int KEPT_ROWS = 1 << 12;
    private static final long[] NO_ROWS = {};

    private final SinceLedger ledger;
    private final int[] perVolume = new int[BlockKey.VOLUMES];
    private long[] rows = NO_ROWS;
    private int size;
    private long boundary;
    private boolean covered;

    ZeroRanges(SinceLedger ledger) {
        this.ledger = ledger;
    }

    int size() {
        return size;
    }

    int size(int volume) {
        return perVolume[volume];
    }

    long start(int row) {
        return rows[row * STRIDE];
    }

    long end(int row) {
        return rows[row * STRIDE + END];
    }

    long order(int row) {
        return rows[row * STRIDE + ORDER];
    }

    long since(int row) {
        return rows[row * STRIDE + SINCE];
    }

    /** Starts a walk over ascending keys with {@link #covers}. */
    void seek(long key) {
        int row = firstEndingAfter(key);
        covered = row < size && start(row) <= key;
        boundary = row == size ? Long.MAX_VALUE : covered ? end(row) : start(row);
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
            while (row < size && start(row) < end && order(row) <= order) {
                row++;
            }
            boolean newer = row < size && start(row) < end;
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
        int first = firstEndingAfter(start);
        int kept = first;
        int row = first;
        for (; row < size && start(row) < end; row++) {
            if (order(row) == order) {
                ledger.remove(since(row));
                perVolume[BlockKey.volume(start(row))]--;
            } else {
                System.arraycopy(rows, row * STRIDE, rows, kept++ * STRIDE, STRIDE);
            }
        }
        moveRows(row, kept);
        if (size == 0 && rows.length > KEPT_ROWS * STRIDE) {
            rows = NO_ROWS;
        }
    }

    /**
     * Whether a range newer than {@code order} covers the block, whose older version then needs no
     * entry: the range takes over its since.
     */
    boolean supersedes(long key, long order, long since) {
        int row = firstEndingAfter(key);
        if (row == size || start(row) > key || order(row) < order) {
            return false;
        }
        lowerSince(row, since);
        return true;
    }

    /** Forgets all ranges; the ledger is the caller's. */
    void clear() {
        size = 0;
        Arrays.fill(perVolume, 0);
        if (rows.length > KEPT_ROWS * STRIDE) {
            rows = NO_ROWS;
        }
    }

    /** Gives the memory back if there is no range. */
    void trim() {
        if (size == 0) {
            rows = NO_ROWS;
        }
    }

    long memoryBytes() {
        return rows.length * (long) Long.BYTES;
    }

    private void lowerSince(int row, long since) {
        if (since < since(row)) {
            ledger.add(since);
            ledger.remove(since(row));
            rows[row * STRIDE + SINCE] = since;
        }
    }

    /** Puts a range over the older ones there; of those cut in two, both ends stay. */
    private void place(long start, long end, long order, long since) {
        int first = firstEndingAfter(start);
        int behind = first;
        long oldest = since;
        while (behind < size && start(behind) < end) {
            oldest = Math.min(oldest, since(behind++));
        }
        ledger.add(oldest);
        long tailEnd = behind > first ? end(behind - 1) : end;
        long tailOrder = behind > first ? order(behind - 1) : order;
        long tailSince = behind > first ? since(behind - 1) : oldest;
        boolean tail = tailEnd > end;
        if (tail) {
            ledger.add(tailSince);
        }
        boolean head = behind > first && start(first) < start;
        int row = head ? first + 1 : first;
        for (int cut = row; cut < behind; cut++) {
            ledger.remove(since(cut));
        }
        perVolume[BlockKey.volume(start)] += row + (tail ? 2 : 1) - behind;
        moveRows(behind, row + (tail ? 2 : 1));
        if (head) {
            rows[first * STRIDE + END] = start;
        }
        set(row, start, end, order, oldest);
        if (tail) {
            set(row + 1, end, tailEnd, tailOrder, tailSince);
        }
    }

    private void set(int row, long start, long end, long order, long since) {
        int at = row * STRIDE;
        rows[at] = start;
        rows[at + END] = end;
        rows[at + ORDER] = order;
        rows[at + SINCE] = since;
    }

    /** Moves the rows from {@code from} on to {@code to}, and the size with them. */
    private void moveRows(int from, int to) {
        int newSize = size + to - from;
        if (newSize * STRIDE > rows.length) {
            rows = Arrays.copyOf(rows, Math.max(MIN_ROWS * STRIDE, rows.length * 2));
        }
        System.arraycopy(rows, from * STRIDE, rows, to * STRIDE, (size - from) * STRIDE);
        size = newSize;
    }

    private int firstEndingAfter(long key) {
        int low = 0;
        int high = size;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (end(middle) <= key) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }
}
