// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

/**
 * One entry of an epoch history: who wrote which part of the log. {@code end} is {@link #OPEN} for
 * the last epoch as long as it is written; a frame at or past the end of its epoch is stale,
 * whatever its checksum says.
 */
public record Epoch(EpochId id, long writer, long start, long end) {

    public static final long OPEN = Long.MAX_VALUE;

    public Epoch {
        if (start < 0 || end < start) {
            throw new IllegalArgumentException(
                    "epoch " + id + " ends at " + end + " before its start " + start);
        }
    }

    public boolean isOpen() {
        return end == OPEN;
    }

    public boolean contains(long position) {
        return position >= start && position < end;
    }

    public Epoch endedAt(long position) {
        return new Epoch(id, writer, start, position);
    }
}
