// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.port;

import java.util.Arrays;

/** Parts of one buffer and the places in a file that they go to; reused from use to use. */
public final class Runs {

    private long[] positions = new long[16];
    private int[] offsets = new int[16];
    private int[] lengths = new int[16];
    private int count;

    public void clear() {
        count = 0;
    }

    /** The {@code length} bytes from {@code offset} of the buffer go to {@code position}. */
    public void add(long position, int offset, int length) {
        if (count == positions.length) {
            positions = Arrays.copyOf(positions, count * 2);
            offsets = Arrays.copyOf(offsets, count * 2);
            lengths = Arrays.copyOf(lengths, count * 2);
        }
        positions[count] = position;
        offsets[count] = offset;
        lengths[count] = length;
        count++;
    }

    public int count() {
        return count;
    }

    public long position(int run) {
        return positions[run];
    }

    public int offset(int run) {
        return offsets[run];
    }

    public int length(int run) {
        return lengths[run];
    }
}
