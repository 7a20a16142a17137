// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import java.util.Arrays;

/**
 * What the running write-back round copies to the images. All zero ranges must have reached the
 * images before the first block: a block version in a zero range of the round is newer than it.
 * Blocks are sorted by volume and number.
 */
public final class Round {

    /** The keys of more blocks are not kept from one round to the next. */
    private static final int KEPT_KEYS = 1 << 14;

    /** Neighbouring zero ranges are joined up to so many blocks: 1 GiB. */
    private static final long MAX_ZEROS = 1 << 18;

    private final Layer layer;
    private long[] keys = {};
    private int size;
    private int zeroRow = ZeroRanges.NONE;
    private long zeroStart;
    private long zeroEnd;

    Round(Layer layer) {
        this.layer = layer;
    }

    public int zeroRanges() {
        return layer.zeros().size();
    }

    /**
     * Moves to the first, or next, run of neighbouring zero ranges, in the order of the images;
     * false behind the last.
     */
    public boolean nextZeros() {
        ZeroRanges zeros = layer.zeros();
        if (zeroRow == ZeroRanges.NONE) {
            return false;
        }
        zeroStart = zeros.start(zeroRow);
        zeroEnd = zeroStart;
        while (zeroRow != ZeroRanges.NONE
                && zeros.start(zeroRow) == zeroEnd
                && zeros.end(zeroRow) - zeroStart
                        <= Math.max(MAX_ZEROS, zeros.end(zeroRow) - zeros.start(zeroRow))) {
            zeroEnd = zeros.end(zeroRow);
            zeroRow = zeros.next(zeroRow);
        }
        return true;
    }

    /** Volume of the run that {@link #nextZeros} has moved to. */
    public int zeroVolume() {
        return BlockKey.volume(zeroStart);
    }

    /** First block of that run. */
    public long zeroBlock() {
        return BlockKey.block(zeroStart);
    }

    /** Its length in blocks. */
    public long zeroBlocks() {
        return zeroEnd - zeroStart;
    }

    public int blocks() {
        return size;
    }

    public int volume(int i) {
        return BlockKey.volume(keys[i]);
    }

    public long block(int i) {
        return BlockKey.block(keys[i]);
    }

    /** LogLocation of the version to be written. */
    public long location(int i) {
        return layer.blocks().location(layer.blocks().find(keys[i]));
    }

    /** The first index behind {@code from} whose block does not follow in the image. */
    public int runEnd(int from) {
        int i = from + 1;
        while (i < size && keys[i] == keys[i - 1] + 1) {
            i++;
        }
        return i;
    }

    long key(int i) {
        return keys[i];
    }

    void add(long key) {
        if (size == keys.length) {
            keys = Arrays.copyOf(keys, Math.max(64, size * 2));
        }
        keys[size++] = key;
    }

    /** All of it has been added. */
    void begin() {
        Arrays.sort(keys, 0, size);
        zeroRow = layer.zeros().first();
    }

    void clear() {
        size = 0;
        zeroRow = ZeroRanges.NONE;
        if (keys.length > KEPT_KEYS) {
            keys = new long[0];
        }
    }

    void trim() {
        if (size == 0) {
            keys = new long[0];
        }
    }

    long memoryBytes() {
        return keys.length * (long) Long.BYTES;
    }
}
