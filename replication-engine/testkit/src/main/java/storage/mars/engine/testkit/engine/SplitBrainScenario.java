// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import storage.mars.engine.testkit.Scenario;
import storage.mars.engine.testkit.schedule.SimRandom;
import storage.mars.engine.testkit.sim.SimWorld;

/**
 * Two of three replicas are promoted by force out of sight of each other, into the same term. Once
 * they meet both say so, and neither yields by itself; what one of them decides then holds for all
 * (promise 7).
 */
public final class SplitBrainScenario implements Scenario {

    private static final long SECOND = 1_000_000_000L;

    @Override
    public String name() {
        return "split-brain";
    }

    @Override
    public void run(SimWorld world) {
        SimRandom random = world.random("story");
        RoleCluster cluster = new RoleCluster(world, "a", "b", "c");
        cluster.laws().allowForce();
        cluster.laws().allowRivals();
        cluster.born();
        SimEngine a = cluster.engine("a");
        SimEngine b = cluster.engine("b");
        SimEngine c = cluster.engine("c");
        new LoneWriter(world, a).write(20);
        cluster.untilCaughtUp();
        world.network().partition("a", "b");
        world.network().partition("a", "c");
        world.network().partition("b", "c");
        if (random.chance(1, 2)) {
            new LoneWriter(world, a).write(5);
        }
        long term = a.known().highestTerm();
        cluster.force(b, term);
        cluster.force(c, term);
        boolean bWrote = random.chance(1, 2);
        boolean cWrote = random.chance(1, 2);
        if (bWrote) {
            new LoneWriter(world, b).write(5);
        }
        if (cWrote) {
            new LoneWriter(world, c).write(5);
        }
        world.network().healAll();
        cluster.until("both show it", () -> isSplit(b) && isSplit(c), 90);
        cluster.until("a is fenced", () -> a.known().highestTerm() == term + 1, 60);
        world.runFor(20 * SECOND);
        cluster.require(
                "nobody yields by itself",
                b.isIn("Serving") && c.isIn("Serving") && isSplit(b) && isSplit(c));
        LossCheck.amongRivals(cluster, a, b, c);

        cluster.force(b, term + 1);
        cluster.until("c is fenced", () -> fenced(c), 60);
        cluster.until("a belongs to b", () -> fenced(a), 60);
        LoneWriter writer = new LoneWriter(world, b);
        writer.write(5);
        cluster.until("c has decided", () -> decided(cluster, c, b, cWrote), 60);
        cluster.until("a has decided", () -> a.isIn("Diverged") || level(a, b), 60);
        cluster.require(
                "the split brain is over",
                b.isIn("Serving") && b.shows("HistoryLinear", "OneHistory"));
    }

    private static boolean isSplit(SimEngine engine) {
        return engine.isIn("Serving") && engine.shows("HistoryLinear", "SplitBrain");
    }

    private static boolean fenced(SimEngine engine) {
        return engine.isIn("Secondary") || engine.isIn("Diverged");
    }

    private static boolean decided(
            RoleCluster cluster, SimEngine loser, SimEngine winner, boolean wrote) {
        if (loser.isIn("Diverged")) {
            cluster.require("only who wrote is diverged", wrote);
            return true;
        }
        return !wrote && level(loser, winner);
    }

    private static boolean level(SimEngine engine, SimEngine winner) {
        return engine.isIn("Secondary")
                && engine.known().history().equals(winner.known().history())
                && engine.known().positions().applied() == winner.known().positions().durable();
    }
}
