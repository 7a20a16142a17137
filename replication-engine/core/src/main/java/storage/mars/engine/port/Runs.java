// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.port;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Parts of buffers and the places in a file that they go to; reused from use to use. */
public final class Runs {

    private @Nullable ByteBuffer[] sources = new ByteBuffer[16];
    private long[] positions = new long[16];
    private int[] offsets = new int[16];
    private int[] lengths = new int[16];
    private int count;

    public void clear() {
        Arrays.fill(sources, 0, count, null);
        count = 0;
    }

    /** The {@code length} bytes from {@code offset} of {@code source} go to {@code position}. */
    public void add(long position, ByteBuffer source, int offset, int length) {
        if (count == positions.length) {
            sources = Arrays.copyOf(sources, count * 2);
            positions = Arrays.copyOf(positions, count * 2);
            offsets = Arrays.copyOf(offsets, count * 2);
            lengths = Arrays.copyOf(lengths, count * 2);
        }
        sources[count] = source;
        positions[count] = position;
        offsets[count] = offset;
        lengths[count] = length;
        count++;
    }

    public int count() {
        return count;
    }

    public ByteBuffer source(int run) {
        ByteBuffer source = sources[run];
        if (source == null) {
            throw new IndexOutOfBoundsException(run);
        }
        return source;
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
