// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replication;

/**
 * Remembers when the durable position of the primary was where, so that a byte position can be told
 * as an age. Keeps the last minutes in samples that are at least 50 ms apart. Owned by the shard.
 */
public final class LagClock {

    private static final int SAMPLES = 2048;
    private static final long APART_NANOS = 50_000_000L;

    private final long[] positions = new long[SAMPLES];
    private final long[] nanos = new long[SAMPLES];
    private int count;
    private int newest = -1;

    /** At {@code now} the durable position was {@code position}. */
    public void sample(long position, long now) {
        if (newest >= 0 && (position <= positions[newest] || now - nanos[newest] < APART_NANOS)) {
            return;
        }
        newest = (newest + 1) % SAMPLES;
        positions[newest] = position;
        nanos[newest] = now;
        count = Math.min(count + 1, SAMPLES);
    }

    /**
     * How long ago, in nanoseconds, the primary went past {@code position}: the age of a replica
     * that holds everything below it. Zero when the primary has not gone past it.
     */
    public long ageNanos(long position, long primaryDurable, long now) {
        if (position >= primaryDurable || count == 0) {
            return 0;
        }
        int at = newest;
        for (int i = 0; i < count; i++) {
            int sample = Math.floorMod(newest - i, SAMPLES);
            if (positions[sample] <= position) {
                break;
            }
            at = sample;
        }
        return now - nanos[at];
    }
}
