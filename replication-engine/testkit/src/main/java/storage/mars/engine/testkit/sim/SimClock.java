// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.sim;

import storage.mars.engine.port.Clock;
import storage.mars.engine.testkit.schedule.Scheduler;
import storage.mars.engine.testkit.schedule.SimRandom;

/**
 * The clocks of one machine: both run fast or slow by the same drift; the monotonic one begins
 * anywhere at each start, the wall clock is wrong by a skew and may be made to jump.
 */
public final class SimClock implements Clock {

    private static final long EPOCH_MICROS = 1_750_000_000_000_000L;
    private static final int MAX_DRIFT_PER_MILLION = 200;
    private static final long MAX_SKEW_MICROS = 2_000_000;

    private final Scheduler scheduler;
    private final SimRandom random;
    private final long driftPerMillion;
    private long skewMicros;
    private long originNanos;

    SimClock(Scheduler scheduler, String machine) {
        this.scheduler = scheduler;
        random = scheduler.random("clock " + machine);
        driftPerMillion = random.between(-MAX_DRIFT_PER_MILLION, MAX_DRIFT_PER_MILLION);
        skewMicros = random.between(-MAX_SKEW_MICROS, MAX_SKEW_MICROS);
    }

    void restart() {
        originNanos = random.nextLong() >> 2;
    }

    private long localNanos() {
        return scheduler.now() + scheduler.now() / 1_000_000 * driftPerMillion;
    }

    /** How long the world waits while this machine waits {@code nanos}. */
    long worldNanos(long nanos) {
        return Math.max(0, nanos - nanos / 1_000_000 * driftPerMillion);
    }

    @Override
    public long nanoTime() {
        return originNanos + localNanos();
    }

    @Override
    public long wallMicros() {
        return EPOCH_MICROS + skewMicros + localNanos() / 1_000;
    }

    /** Sets the wall clock forward or back. */
    public void jumpWall(long micros) {
        skewMicros += micros;
    }
}
