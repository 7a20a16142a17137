// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

/**
 * Where the newest version of a block lies in the log, packed into a long: the position of its
 * payload block (a multiple of 4096), and in the low 12 bits how many blocks before it its frame
 * starts. So the record, and with it the checksum, is always found again. A frame has at most 4096
 * blocks.
 */
public final class LogLocation {

    private LogLocation() {}

    /**
     * The location of the payload block at {@code position} in the frame that starts at {@code
     * frame}.
     */
    public static long of(long position, long frame) {
        long distance = (position - frame) >> Blocks.SHIFT;
        Invariant.check(
                distance >= 0 && distance < Blocks.SIZE,
                "payload lies in its frame",
                position,
                frame);
        return position | distance;
    }

    /** Log position of the payload block. */
    public static long position(long location) {
        return Blocks.floor(location);
    }

    /** Log position of the frame. */
    public static long frame(long location) {
        return Blocks.floor(location) - ((location & (Blocks.SIZE - 1)) << Blocks.SHIFT);
    }

    /** The location {@code blocks} behind this one in the same record. */
    public static long plus(long location, long blocks) {
        return location + blocks * (Blocks.SIZE + 1);
    }
}
