// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit;

import storage.mars.engine.testkit.schedule.SimFailure;
import storage.mars.engine.testkit.sim.SimWorld;

/** What one seed of one scenario came to, with {@code machines} machines. */
public record SeedRun(long seed, int machines, long steps, long traceHash) {

    private static final int TRACE_LINES = 60;

    /** Runs it; a failure tells the seed, how to replay it, and the last events. */
    public static SeedRun of(Scenario scenario, long seed) {
        SimWorld world = new SimWorld(seed);
        try {
            scenario.run(world);
        } catch (RuntimeException | Error thrown) {
            String words =
                    scenario.name()
                            + ": "
                            + thrown.getMessage()
                            + System.lineSeparator()
                            + world.describe(TRACE_LINES);
            throw new SimFailure(words, thrown);
        }
        return new SeedRun(seed, world.machines(), world.scheduler().steps(), world.trace().hash());
    }

    /** The seed that {@code -Dmars.sim.seed} names, or {@code usual}. */
    public static long firstSeed(long usual) {
        return Long.getLong(SimWorld.SEED_PROPERTY, usual);
    }

    /** Runs {@code count} seeds from {@code first} on, or only the one that is being replayed. */
    public static long steps(Scenario scenario, long first, int count) {
        Long replayed = Long.getLong(SimWorld.SEED_PROPERTY);
        if (replayed != null) {
            return of(scenario, replayed).steps();
        }
        long steps = 0;
        for (long seed = first; seed < first + count; seed++) {
            steps += of(scenario, seed).steps();
        }
        return steps;
    }
}
