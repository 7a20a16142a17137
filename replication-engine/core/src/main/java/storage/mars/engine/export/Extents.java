// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.export;

import java.util.Arrays;

/** A list of adjacent extents of a volume, reused from request to request. */
public final class Extents {

    private long[] lengths = new long[16];
    private boolean[] holes = new boolean[16];
    private int count;
    private final int maximum;

    /** A list of at most {@code maximum} extents. */
    public Extents(int maximum) {
        this.maximum = maximum;
    }

    public void clear() {
        count = 0;
    }

    /**
     * Appends an extent, joining it to the last where both are of one kind; false when the list is
     * full.
     */
    public boolean add(long length, boolean hole) {
        if (count > 0 && holes[count - 1] == hole) {
            lengths[count - 1] += length;
            return true;
        }
        if (count == maximum) {
            return false;
        }
        if (count == lengths.length) {
            lengths = Arrays.copyOf(lengths, Math.min(maximum, count * 2));
            holes = Arrays.copyOf(holes, lengths.length);
        }
        lengths[count] = length;
        holes[count] = hole;
        count++;
        return true;
    }

    public int count() {
        return count;
    }

    /** Bytes of extent {@code i}. */
    public long length(int i) {
        return lengths[i];
    }

    /**
     * Whether extent {@code i} reads as zero and occupies no space; false is always a safe answer.
     */
    public boolean hole(int i) {
        return holes[i];
    }
}
