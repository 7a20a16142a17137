// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import storage.mars.engine.testkit.Scenario;
import storage.mars.engine.testkit.disk.CrashKind;
import storage.mars.engine.testkit.schedule.SimRandom;
import storage.mars.engine.testkit.sim.SimWorld;

/**
 * The role is laid down and taken by whoever asks, also by the one that had it; shipping and apply
 * are paused and resumed; a replica that applies nothing is promoted and has everything it
 * received.
 */
public final class LaidDownScenario implements Scenario {

    private static final long SECOND = 1_000_000_000L;

    @Override
    public String name() {
        return "laid-down";
    }

    @Override
    public void run(SimWorld world) {
        SimRandom random = world.random("story");
        RoleCluster cluster = new RoleCluster(world, "a", "b", "c");
        cluster.born();
        SimEngine a = cluster.engine("a");
        SimEngine b = cluster.engine("b");
        SimEngine c = cluster.engine("c");
        new LoneWriter(world, a).write(20);
        long term = a.known().highestTerm();
        long incarnation = a.known().incarnation();
        cluster.demote(a);
        world.runFor(random.between(0, 5) * SECOND);
        cluster.require("a is secondary", a.isIn("Secondary") && a.writable() == null);
        if (random.chance(1, 2)) {
            a.machine().crash(CrashKind.drawn(random));
            a.machine().startAfter(SECOND);
            world.runFor(5 * SECOND);
        }
        SimEngine taker = cluster.all().get(random.below(3));
        take(cluster, taker);
        cluster.require(
                "the term has risen by one, the incarnation stays",
                taker.known().highestTerm() == term + 1
                        && taker.known().incarnation() == incarnation);
        new LoneWriter(world, taker).write(10);
        cluster.untilCaughtUp();
        cluster.requireSameImages();
        take(cluster, a);
        cluster.untilCaughtUp();

        pausedApply(cluster, a, b);
        pausedShipping(cluster, b, c);
    }

    private static void pausedApply(RoleCluster cluster, SimEngine from, SimEngine to) {
        SimWorld world = cluster.world();
        must(cluster, to, "pause", (host, reply) -> host.pauseApply("r", true, reply));
        long limit = to.known().positions().applied();
        new LoneWriter(world, from).write(20);
        long end = from.known().positions().durable();
        cluster.until("it is received", () -> to.known().positions().durable() == end, 60);
        cluster.require(
                "it is not applied",
                to.known().positions().applied() == limit && to.shows("Applying", "Paused"));
        cluster.requireExactly(from, limit, to);
        if (world.random("paused").chance(1, 2)) {
            to.machine().crash(CrashKind.POWER);
            to.machine().startAfter(SECOND);
            world.runFor(SECOND / 10);
            cluster.until("it is back", () -> to.isIn("Secondary"), 30);
            cluster.requireExactly(from, limit, to);
        }
        take(cluster, to);
        cluster.requireExactly(from, end, to);
        cluster.untilCaughtUp();
        cluster.requireSameImages();
    }

    private static void pausedShipping(RoleCluster cluster, SimEngine from, SimEngine to) {
        SimWorld world = cluster.world();
        must(cluster, to, "pause", (host, reply) -> host.pauseShipping("r", true, reply));
        long received = to.known().positions().durable();
        new LoneWriter(world, from).write(20);
        world.runFor(5 * SECOND);
        cluster.require(
                "nothing is shipped",
                to.known().positions().durable() == received && to.shows("Shipping", "Paused"));
        String why =
                cluster.outcome(
                        to,
                        "handover",
                        (host, reply) -> host.promote("r", true, SimEngine.PATIENCE, reply));
        cluster.require("the refusal says why: " + why, why.contains("resume-shipping"));
        cluster.require("the primary goes on", from.isIn("Serving"));
        must(cluster, to, "resume", (host, reply) -> host.pauseShipping("r", false, reply));
        cluster.untilCaughtUp();
        take(cluster, to);
        cluster.untilCaughtUp();
        cluster.requireSameImages();
    }

    private static void take(RoleCluster cluster, SimEngine engine) {
        String why = "";
        for (int i = 0; i < 5 && !engine.isIn("Serving"); i++) {
            why =
                    cluster.outcome(
                            engine,
                            "taking",
                            (host, reply) -> host.promote("r", true, SimEngine.PATIENCE, reply));
            cluster.world().runFor(SECOND);
        }
        cluster.require("it has the role: " + why, engine.isIn("Serving"));
    }

    private static void must(
            RoleCluster cluster, SimEngine engine, String what, RoleCluster.Asking asking) {
        String why = cluster.outcome(engine, what, asking);
        cluster.require(what + " is done: " + why, why.isEmpty());
    }
}
