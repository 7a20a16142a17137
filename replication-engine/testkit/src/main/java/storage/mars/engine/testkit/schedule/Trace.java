// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.schedule;

import java.util.Locale;

/**
 * What happened: a hash over everything (two runs of one seed have the same), and the last events
 * in words for the one who has to understand a failure.
 */
public final class Trace {

    private final int mask;
    private final long[] times;
    private final String[] owners;
    private final String[] whats;
    private final long[] details;
    private long count;
    private long hash;

    /** Keeps the last {@code capacity} events, a power of two. */
    Trace(int capacity) {
        if (Integer.bitCount(capacity) != 1) {
            throw new IllegalArgumentException("not a power of two: " + capacity);
        }
        mask = capacity - 1;
        times = new long[capacity];
        owners = new String[capacity];
        whats = new String[capacity];
        details = new long[capacity];
    }

    void add(long time, String owner, String what, long detail) {
        int slot = (int) count & mask;
        times[slot] = time;
        owners[slot] = owner;
        whats[slot] = what;
        details[slot] = detail;
        count++;
        long mixed = time * 31 + owner.hashCode();
        mixed = mixed * 31 + what.hashCode();
        hash = Long.rotateLeft(hash, 5) * 0x9E3779B97F4A7C15L + SimRandom.mix(mixed * 31 + detail);
    }

    /** Equal for equal runs. */
    public long hash() {
        return hash;
    }

    /** How many events there have been. */
    public long count() {
        return count;
    }

    /** The last events, oldest first, one a line; at most {@code lines}. */
    public String tail(int lines) {
        long kept = Math.min(Math.min(lines, count), mask + 1L);
        StringBuilder text = new StringBuilder();
        for (long i = count - kept; i < count; i++) {
            int slot = (int) i & mask;
            text.append(
                    String.format(
                            Locale.ROOT,
                            "%10d %14.6f s  %-10s %s %d%n",
                            i,
                            times[slot] / 1e9,
                            owners[slot],
                            whats[slot],
                            details[slot]));
        }
        return text.toString();
    }
}
