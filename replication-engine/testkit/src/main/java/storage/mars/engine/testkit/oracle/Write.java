// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.oracle;

/**
 * One write, trim or zeroing that a client has asked for, and when (in ticks of its {@link
 * WriteHistory}) what became known of it.
 */
public final class Write {

    static final long NEVER = Long.MAX_VALUE;

    final int version;
    final boolean zero;
    final int volume;
    final long offset;
    final long length;
    final int client;
    final long submitted;

    /** See {@link CellPattern#scramble}. */
    final long scramble;

    /** Whether it is known to have no effect, and must not be seen. */
    boolean undone;

    /** When the client was told of its success. */
    long acked = NEVER;

    /** When the client had a promise that it survives a power cut. */
    long durable = NEVER;

    /** After this it cannot take effect any more. */
    long bound = NEVER;

    Write(
            int version,
            boolean zero,
            int volume,
            long offset,
            long length,
            int client,
            long submitted,
            long scramble) {
        this.version = version;
        this.zero = zero;
        this.volume = volume;
        this.offset = offset;
        this.length = length;
        this.client = client;
        this.submitted = submitted;
        this.scramble = scramble;
    }

    public int version() {
        return version;
    }

    public int volume() {
        return volume;
    }

    public long offset() {
        return offset;
    }

    public long length() {
        return length;
    }

    /** Whether the client was told of its success. */
    public boolean isAcked() {
        return acked != NEVER;
    }

    /** The latest moment at which it took effect, if ever. */
    long end() {
        return Math.min(acked, bound);
    }

    /** Whether it covers all of that cell. */
    boolean covers(long cell) {
        long at = cell * CellPattern.CELL;
        return offset <= at && at + CellPattern.CELL <= offset + length;
    }

    /** Whether that is the value with which it fills that cell. */
    boolean made(long cell, long value) {
        return !zero
                && !undone
                && covers(cell)
                && (scramble ^ CellPattern.low(value)) == CellPattern.low(cell);
    }

    /** Whether it covers at least a byte of that cell. */
    boolean touches(long cell) {
        long at = cell * CellPattern.CELL;
        return offset < at + CellPattern.CELL && at < offset + length;
    }

    /** Whether it covers that byte of the volume. */
    boolean includes(long at) {
        return offset <= at && at < offset + length;
    }

    @Override
    public String toString() {
        return (zero ? "zeroing " : "write ")
                + version
                + " of client "
                + client
                + " ["
                + offset
                + ", +"
                + length
                + "] submitted "
                + submitted
                + (acked == NEVER ? ", not acked" : ", acked " + acked)
                + (bound == NEVER ? "" : ", over " + bound);
    }
}
