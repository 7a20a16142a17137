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

    private final Layer layer;
    private long[] keys = {};
    private int size;

    Round(Layer layer) {
        this.layer = layer;
    }

    public int zeroRanges() {
        return layer.zeros().size();
    }

    public int zeroVolume(int range) {
        return BlockKey.volume(layer.zeros().start(range));
    }

    /** First block of the zero range. */
    public long zeroBlock(int range) {
        return BlockKey.block(layer.zeros().start(range));
    }

    /** Length of the zero range in blocks. */
    public long zeroBlocks(int range) {
        return layer.zeros().end(range) - layer.zeros().start(range);
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

    void sort() {
        Arrays.sort(keys, 0, size);
    }

    void clear() {
        size = 0;
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
