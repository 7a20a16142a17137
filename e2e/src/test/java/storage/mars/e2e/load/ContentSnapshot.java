// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e.load;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import storage.mars.e2e.nbd.NbdConnection;

/** Which write each block of a volume holds, as read at one time. */
public final class ContentSnapshot {
    private static final int BLOCKS_PER_READ = 256;
    private final long[] sequences;
    private final List<String> damage;

    ContentSnapshot(long[] sequences, List<String> damage) {
        this.sequences = sequences;
        this.damage = List.copyOf(damage);
    }

    /** For each block the sequence of the write that it holds; 0 is none. */
    public long[] sequences() {
        return sequences.clone();
    }

    /** Blocks that hold no write of the run, and why. */
    public List<String> damage() {
        return damage;
    }

    public static ContentSnapshot read(NbdConnection from, WriteHistory history)
            throws IOException {
        var sequences = new long[history.blocks()];
        var damage = new ArrayList<String>();
        for (int first = 0; first < sequences.length; first += BLOCKS_PER_READ) {
            int count = Math.min(BLOCKS_PER_READ, sequences.length - first);
            long offset = (long) first * BlockStamp.SIZE;
            byte[] data = from.read(offset, count * BlockStamp.SIZE);
            for (int i = 0; i < count; i++) {
                var content = ByteBuffer.wrap(data, i * BlockStamp.SIZE, BlockStamp.SIZE);
                int block = first + i;
                switch (BlockStamp.decode(history.run(), block, content)) {
                    case BlockStamp.Version version -> sequences[block] = version.sequence();
                    case BlockStamp.Damaged damaged ->
                            damage.add("block " + block + ": " + damaged.reason());
                }
            }
        }
        return new ContentSnapshot(sequences, damage);
    }
}
