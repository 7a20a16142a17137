// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import storage.mars.engine.log.EpochId;
import storage.mars.engine.testkit.Scenario;
import storage.mars.engine.testkit.disk.CrashKind;
import storage.mars.engine.testkit.net.NetworkSettings;
import storage.mars.engine.testkit.schedule.SimRandom;
import storage.mars.engine.testkit.sim.SimWorld;

/**
 * A primary starts again: it serves when its members have answered, or the wait for them is over,
 * which is longer after the machine has booted; and not at all, without having written an epoch,
 * when it hears of a higher term first (promises 8 and 12).
 */
public final class FencedStartScenario implements Scenario {

    private static final long SECOND = 1_000_000_000L;
    private static final long SLACK = 500_000_000L;

    @Override
    public String name() {
        return "fenced-start";
    }

    @Override
    public void run(SimWorld world) {
        SimRandom random = world.random("story");
        world.network().settings(NetworkSettings.local().withDialFailures(0));
        RoleCluster cluster = new RoleCluster(world, "a", "b");
        cluster.laws().allowForce();
        cluster.born();
        SimEngine a = cluster.engine("a");
        SimEngine b = cluster.engine("b");
        new LoneWriter(world, a).write(10);
        cluster.untilCaughtUp();
        long incarnation = a.known().incarnation();

        CrashKind kind = CrashKind.drawn(random);
        long alone = restart(cluster, a, kind, true);
        long wait = kind == CrashKind.POWER ? 10 * SECOND : SECOND;
        cluster.require(
                "it waits for its members: " + alone,
                alone >= wait - wait / 1000 && alone < wait + 2 * SECOND);
        world.network().healAll();
        cluster.untilCaughtUp();
        cluster.require("the incarnation stays", a.known().incarnation() == incarnation);
        cluster.until("both see each other", () -> connected(a) && connected(b), 30);
        long met = restart(cluster, a, CrashKind.POWER, false);
        cluster.require("it serves once they have answered: " + met, met < 10 * SECOND - SLACK);
        cluster.untilCaughtUp();

        a.machine().crash(CrashKind.drawn(random));
        world.runFor(SECOND / 10);
        cluster.force(b, b.known().highestTerm());
        EpochId last = b.known().history().epochs().getFirst().id();
        long epochs = b.known().history().epochs().size();
        a.machine().start();
        cluster.until("a starts", a::isReady, 60);
        cluster.until(
                "a is fenced",
                () -> {
                    cluster.require(
                            "a never serves", !a.isIn("Serving") && !a.isIn("StartingEpoch"));
                    return a.status() != null && a.isIn("Secondary");
                },
                60);
        cluster.untilCaughtUp();
        cluster.require(
                "a has written no epoch",
                a.known().history().equals(b.known().history())
                        && b.known().history().epochs().getFirst().id().equals(last)
                        && b.known().history().epochs().size() == epochs);
    }

    /** Crashes it and starts it again, cut off or not; how long it took from start to serving. */
    private static long restart(
            RoleCluster cluster, SimEngine engine, CrashKind kind, boolean cutOff) {
        SimWorld world = cluster.world();
        engine.machine().crash(kind);
        world.runFor(SECOND / 10);
        if (cutOff) {
            world.network().partition("a", "b");
        }
        long begin = world.scheduler().now();
        engine.machine().start();
        cluster.until("it serves", () -> engine.isIn("Serving"), 60);
        return world.scheduler().now() - begin;
    }

    private static boolean connected(SimEngine engine) {
        return engine.known().members().stream().allMatch(m -> m.self() || m.connected());
    }
}
