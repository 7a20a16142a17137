// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import storage.mars.engine.testkit.disk.CrashKind;
import storage.mars.engine.testkit.disk.Fate;
import storage.mars.engine.testkit.schedule.SimFailure;
import storage.mars.engine.testkit.schedule.SimRandom;

/**
 * Crashes one scenario everywhere: runs it once to count the points of one machine, then again with
 * a crash at each of them, then, for each of these, with a second crash at each point of what
 * follows. Each run has a new world of the same seed; the scenario arms the plan, and checks at its
 * end what must hold after any crash. Where there are more points than runs allowed, they are taken
 * at equal distances.
 */
public final class CrashPoints {

    private static final int TRACE_LINES = 60;

    private final long seed;
    private final BiConsumer<SimWorld, CrashPlan> scenario;
    private final int maxSingles;
    private final int maxPairs;
    private int points;
    private int runs;

    /**
     * At most {@code maxSingles} single crashes of each sort, {@code maxPairs} seconds for each.
     */
    public CrashPoints(
            long seed, BiConsumer<SimWorld, CrashPlan> scenario, int maxSingles, int maxPairs) {
        this.seed = seed;
        this.scenario = scenario;
        this.maxSingles = maxSingles;
        this.maxPairs = maxPairs;
    }

    /** Single crashes of each sort at every point. */
    public static CrashPoints everywhere(long seed, BiConsumer<SimWorld, CrashPlan> scenario) {
        return new CrashPoints(seed, scenario, Integer.MAX_VALUE, 0);
    }

    /**
     * Runs {@code scenario} in {@code world} with one crash or two, which its seed draws from all
     * points, kinds and fates.
     */
    public static void drawn(SimWorld world, BiConsumer<SimWorld, CrashPlan> scenario) {
        SimRandom random = world.random("crash points");
        CrashKind kind = CrashKind.drawn(random);
        Fate fate = Fate.drawn(random);
        CrashPoints rehearsals = everywhere(world.seed(), scenario);
        List<Integer> chosen = new ArrayList<>();
        for (long crashes = random.between(1, 2); crashes > 0; crashes--) {
            int total = rehearsals.rehearse(chosen, kind, fate);
            if (total > 0) {
                chosen.add(1 + random.below(total));
            }
        }
        tell(world, scenario, new CrashPlan(chosen, kind, fate));
    }

    /** Runs all that is allowed for every kind of crash and each of {@code fates}. */
    public CrashPoints run(List<Fate> fates) {
        int total = rehearse(List.of(), CrashKind.PROCESS, Fate.NOTHING);
        points = total;
        for (CrashKind kind : CrashKind.values()) {
            for (Fate fate : fates) {
                for (int first : spread(total, maxSingles)) {
                    int rest = rehearse(List.of(first), kind, fate);
                    for (int second : spread(rest, maxPairs)) {
                        rehearse(List.of(first, second), kind, fate);
                    }
                }
            }
        }
        return this;
    }

    /** How many points the scenario has while nothing crashes. */
    public int points() {
        return points;
    }

    /** How often the scenario has run. */
    public int runs() {
        return runs;
    }

    /** Points that were passed after the last planned crash. */
    private int rehearse(List<Integer> crashes, CrashKind kind, Fate fate) {
        CrashPlan plan = new CrashPlan(crashes, kind, fate);
        SimWorld world = new SimWorld(seed);
        runs++;
        try {
            tell(world, scenario, plan);
        } catch (SimFailure failure) {
            String words = failure.getMessage() + System.lineSeparator();
            throw new SimFailure(words + world.describe(TRACE_LINES), failure.getCause());
        }
        return plan.passed();
    }

    private static void tell(
            SimWorld world, BiConsumer<SimWorld, CrashPlan> scenario, CrashPlan plan) {
        try {
            scenario.accept(world, plan);
        } catch (RuntimeException | Error thrown) {
            throw new SimFailure(plan + ": " + thrown.getMessage(), thrown);
        }
        if (!plan.isDone()) {
            throw new SimFailure(plan + ": did not all come, the scenario is not deterministic");
        }
    }

    /** At most {@code limit} numbers from 1 to {@code total}, with the first and the last. */
    static List<Integer> spread(int total, int limit) {
        List<Integer> chosen = new ArrayList<>();
        int count = Math.min(total, limit);
        for (int i = 0; i < count; i++) {
            chosen.add(count == 1 ? 1 : 1 + (int) ((long) i * (total - 1) / (count - 1)));
        }
        return chosen;
    }
}
