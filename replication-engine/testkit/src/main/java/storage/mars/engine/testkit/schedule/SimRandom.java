// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.schedule;

/**
 * A stream of pseudo-random numbers (SplitMix64), the same on every machine and JDK. Each part of a
 * world has a stream of its own, so that a draw more in one part changes nothing in another.
 */
public final class SimRandom {

    private long state;

    public SimRandom(long seed) {
        state = seed;
    }

    /** A stream that depends on this one's present state and on {@code label} only. */
    public SimRandom fork(String label) {
        return new SimRandom(mix(state ^ mix(label.hashCode())));
    }

    public long nextLong() {
        state += 0x9E3779B97F4A7C15L;
        return mix(state);
    }

    /** A number from 0 to {@code bound - 1}. */
    public int below(int bound) {
        return (int) below((long) bound);
    }

    /** A number from 0 to {@code bound - 1}. */
    public long below(long bound) {
        if (bound <= 0) {
            throw new IllegalArgumentException("bound " + bound);
        }
        return Math.unsignedMultiplyHigh(nextLong(), bound);
    }

    /** A number from {@code low} to {@code high}, both included. */
    public long between(long low, long high) {
        return low + below(high - low + 1);
    }

    /** True {@code numerator} times out of {@code denominator}. */
    public boolean chance(int numerator, int denominator) {
        return numerator > 0 && below((long) denominator) < numerator;
    }

    /** The finalizer of SplitMix64: a good 64-bit hash of one number. */
    public static long mix(long value) {
        long z = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
