// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import storage.mars.engine.log.Invariant;

/**
 * A block of a volume of the resource in one long: a bit that is always set, so no key is 0; the
 * volume; 56 bits of block number. The keys of a volume are contiguous and in block order.
 */
final class BlockKey {

    static final int VOLUMES = 16;

    /** No block's key. */
    static final long NONE = 0;

    private static final int BLOCK_BITS = 56;
    private static final long USED = 1L << 62;
    private static final long BLOCK_MASK = (1L << BLOCK_BITS) - 1;
    private static final long MAX_BLOCK = 1L << 52;

    private BlockKey() {}

    /** The key of the first of {@code count} blocks. */
    static long of(int volume, long firstBlock, long count) {
        Invariant.check(volume >= 0 && volume < VOLUMES, "volume of a resource", volume, VOLUMES);
        Invariant.check(
                firstBlock >= 0 && count > 0 && firstBlock <= MAX_BLOCK - count,
                "range of blocks",
                firstBlock,
                count);
        return USED | ((long) volume << BLOCK_BITS) | firstBlock;
    }

    static int volume(long key) {
        return (int) (key >>> BLOCK_BITS) & (VOLUMES - 1);
    }

    static long block(long key) {
        return key & BLOCK_MASK;
    }
}
