// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import storage.mars.engine.log.Invariant;

/**
 * Answer of {@link VolumeIndex#lookup}, written into an object of the caller: one run of blocks.
 */
public final class Lookup {

    /** Where the newest content of the run is. */
    public enum Kind {
        /** Not in the index: the image has it. */
        IMAGE,
        /** Reads as zero. */
        ZERO,
        /** Contiguous payload of one log record. */
        LOG
    }

    private Kind kind = Kind.IMAGE;
    private int blocks;
    private long location;

    public Kind kind() {
        return kind;
    }

    /** Length of the run, at least 1. */
    public int blocks() {
        return blocks;
    }

    /** LogLocation of the first block; only for {@link Kind#LOG}. */
    public long location() {
        Invariant.check(kind == Kind.LOG, "only the log has locations");
        return location;
    }

    void set(Kind newKind, long newLocation, long newBlocks) {
        kind = newKind;
        location = newLocation;
        blocks = (int) newBlocks;
    }
}
