// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.port;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Parts of buffers and the places in a file that they go to; reused from use to use. */
public final class Runs {

    private final List<ByteBuffer> sources = new ArrayList<>();
    private long[] positions = new long[16];
    private int[] offsets = new int[16];
    private int[] lengths = new int[16];

    public void clear() {
        sources.clear();
    }

    /** The {@code length} bytes from {@code offset} of {@code source} go to {@code position}. */
    public void add(long position, ByteBuffer source, int offset, int length) {
        int count = sources.size();
        if (count == positions.length) {
            positions = Arrays.copyOf(positions, count * 2);
            offsets = Arrays.copyOf(offsets, count * 2);
            lengths = Arrays.copyOf(lengths, count * 2);
        }
        sources.add(source);
        positions[count] = position;
        offsets[count] = offset;
        lengths[count] = length;
    }

    public int count() {
        return sources.size();
    }

    public ByteBuffer source(int run) {
        return sources.get(run);
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
