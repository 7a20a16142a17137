// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replication;

import java.nio.ByteBuffer;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.Blocks;

/**
 * A range that a sync target copies, from before it looks at what it has there until the range is
 * in the image. Owned by the shard.
 */
final class SyncPiece {

    final long request;

    /** Place of its volume among those of the replica. */
    final int index;

    final int volume;
    final long offset;
    final int length;

    /**
     * Blocks that are not written: the image has them, or a record covers them that was taken into
     * the log since.
     */
    final BitSet spared = new BitSet();

    /** What goes into the image where no block is spared; null for zeros. */
    @Nullable ByteBuffer bytes;

    /** Whether the source was told digests. */
    boolean compared;

    boolean answered;
    boolean cancelled;
    boolean done;
    int writes;

    SyncPiece(long request, int index, int volume, long offset, int length) {
        this.request = request;
        this.index = index;
        this.volume = volume;
        this.offset = offset;
        this.length = length;
    }

    /** A record covers that range. */
    void cover(int recordVolume, long from, long bytesLong) {
        if (recordVolume == volume && from < offset + length && from + bytesLong > offset) {
            int first = (int) ((Math.max(from, offset) - offset) >> Blocks.SHIFT);
            long end = Math.min(from + bytesLong, offset + length);
            spared.set(first, (int) ((end - offset) >> Blocks.SHIFT));
        }
    }

    /** The answer: {@code content} holds the blocks that differ, one after the other. */
    void take(BitSet differing, ByteBuffer content, ByteBuffer buffer) {
        int from = content.position();
        for (int block = 0; block < blocks(); block++) {
            if (differing.get(block)) {
                buffer.put(block << Blocks.SHIFT, content, from, Blocks.SIZE);
                from += Blocks.SIZE;
            } else {
                spared.set(block);
            }
        }
        bytes = buffer;
    }

    int blocks() {
        return length >> Blocks.SHIFT;
    }
}
