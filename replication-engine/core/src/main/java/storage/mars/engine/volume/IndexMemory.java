// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

/**
 * The bound of all indexes of one shard: so many entries, that is block versions and zero ranges,
 * are in the logs of its resources and not in their images. A resource may hold a multiple of what
 * is left over for all: alone it gets most, many get equal shares, and one whose images take
 * nothing never has what the others need. An index that is empty always has room, and so has one
 * with a few entries; so whoever waits has entries of its own to be written back, which is when to
 * ask again. Owned by the shard.
 */
public final class IndexMemory {

    private static final int MULTIPLE = 3;
    private static final int MOST_FOR_ANYBODY = 128;

    private final long limit;
    private final long forAnybody;
    private long held;

    /** {@code entries} for all resources together. */
    public IndexMemory(int entries) {
        limit = entries;
        forAnybody = Math.min(MOST_FOR_ANYBODY, entries / 8);
    }

    /** Entries held now. */
    public long held() {
        return held;
    }

    void changed(long entries) {
        held += entries;
    }

    /** Whether somebody who holds {@code own} of these entries may take so many more. */
    boolean hasRoom(long own, long more) {
        return own == 0
                || own + more <= forAnybody
                || own + more <= MULTIPLE * (limit - held - more);
    }
}
