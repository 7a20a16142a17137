// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.config;

/**
 * What tests make small and operators leave alone.
 *
 * @param segmentBytes size of the log segments of new resources
 * @param maxIndexBlocks blocks and zero ranges that may be in the logs and not yet in the images,
 *     of all resources together; shared out evenly over the shards
 */
public record Tuning(int segmentBytes, int maxIndexBlocks) {

    public static final Tuning DEFAULT = new Tuning(64 << 20, 262_144);

    private static final int LEAST_SEGMENT = 2 << 20;
    private static final int MOST_SEGMENT = 1 << 30;
    private static final int LEAST_INDEX_BLOCKS = 1024;

    public Tuning {
        if (segmentBytes < LEAST_SEGMENT
                || segmentBytes > MOST_SEGMENT
                || Integer.bitCount(segmentBytes) != 1) {
            throw new IllegalArgumentException(
                    "--segment-size "
                            + Quantities.words(segmentBytes)
                            + ": not a power of two within 2MiB and 1GiB");
        }
        if (maxIndexBlocks < LEAST_INDEX_BLOCKS) {
            throw new IllegalArgumentException(
                    "--max-index-blocks " + maxIndexBlocks + ": below " + LEAST_INDEX_BLOCKS);
        }
    }
}
