// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

/**
 * Durations in nanoseconds, counted in buckets of powers of two with four steps each. Written by
 * its shard alone; others may read slightly old counts.
 */
public final class Histogram {

    private static final int STEPS = 4;
    private final long[] counts = new long[64 * STEPS];
    private long total;
    private long sum;

    public void add(long nanos) {
        long value = Math.max(1, nanos);
        int power = 63 - Long.numberOfLeadingZeros(value);
        int step = power < 2 ? 0 : (int) (value >>> (power - 2)) & (STEPS - 1);
        counts[power * STEPS + step]++;
        total++;
        sum += value;
    }

    /** How many took less than 2 to the {@code power} nanoseconds; of 63 all. */
    public long countBelow(int power) {
        long below = 0;
        for (int i = 0; i < power * STEPS; i++) {
            below += counts[i];
        }
        return below;
    }

    public long count() {
        return total;
    }

    public long sumNanos() {
        return sum;
    }

    /**
     * Upper bound of the bucket that holds the given share (0..1) of all durations; 0 when there
     * are none.
     */
    public long quantileNanos(double share) {
        long rank = (long) Math.ceil(share * total);
        long seen = 0;
        for (int i = 0; i < counts.length; i++) {
            seen += counts[i];
            if (seen >= rank && seen > 0) {
                return upperBound(i);
            }
        }
        return 0;
    }

    private static long upperBound(int bucket) {
        int power = bucket / STEPS;
        long base = 1L << power;
        return base + (base >> 2) * (bucket % STEPS + 1);
    }
}
