// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import java.time.Duration;
import storage.mars.engine.testkit.Scenario;
import storage.mars.engine.testkit.disk.CrashKind;
import storage.mars.engine.testkit.oracle.CellPattern;
import storage.mars.engine.testkit.oracle.DurabilityChecker;
import storage.mars.engine.testkit.oracle.WriteHistory;
import storage.mars.engine.testkit.schedule.SimRandom;
import storage.mars.engine.testkit.sim.SimWorld;
import storage.mars.engine.testkit.workload.Workload;
import storage.mars.engine.testkit.workload.WorkloadSettings;

/**
 * The role goes round among two or three replicas under load, by handover and by being laid down,
 * while machines crash, links break and paths are blocked. Nothing that was acknowledged is lost,
 * no term has two writers, nobody ever diverges, and when the faults have ended the role goes to
 * whoever asks (promises 1, 5, 9 and 12).
 */
public final class HandoverScenario implements Scenario {

    private static final long MILLISECOND = 1_000_000L;

    @Override
    public String name() {
        return "handover";
    }

    @Override
    public void run(SimWorld world) {
        SimRandom random = world.random("story");
        RoleCluster cluster =
                random.chance(1, 2)
                        ? new RoleCluster(world, "a", "b")
                        : new RoleCluster(world, "a", "b", "c");
        cluster.born();
        WriteHistory history = new WriteHistory(new CellPattern(world.seed()));
        WorkloadSettings settings =
                new WorkloadSettings(
                        3,
                        8,
                        16 << 10,
                        50,
                        30,
                        8,
                        25,
                        10,
                        random.between(10, 60) * MILLISECOND,
                        2_000,
                        true);
        Workload workload = new Workload(world, history, 0, settings, cluster::served);
        workload.start();
        cluster.answers(workload, 30);
        requireRefusedWhileOpen(cluster);
        long rounds = random.between(4, 16);
        for (int round = 0; round < rounds; round++) {
            event(cluster, random);
            world.runFor(random.between(1, 1500) * MILLISECOND);
        }
        cluster.heal();
        cluster.untilServed();
        cluster.answers(workload, 20);
        for (SimEngine engine : cluster.all()) {
            insist(cluster, engine);
            cluster.answers(workload, 20);
        }
        workload.stop();
        cluster.until("all is answered", workload::isIdle, 20);
        workload.check();
        cluster.untilCaughtUp();
        cluster.requireSameImages();
        SimEngine primary = cluster.untilServed();
        cluster.requireExactly(
                primary, primary.known().positions().durable(), cluster.all().getFirst());
        new DurabilityChecker(history)
                .check(0, RoleCluster.VOLUME, VolumeReader.read(primary, RoleCluster.VOLUME));
    }

    private static void requireRefusedWhileOpen(RoleCluster cluster) {
        String why =
                cluster.outcome(
                        cluster.engine("b"),
                        "handover with open exports",
                        (host, reply) -> host.promote("r", false, SimEngine.PATIENCE, reply));
        cluster.require(
                "the refusal says what is open: " + why,
                why.contains("r/data by client") && why.contains("--close-exports"));
        cluster.require("a goes on serving", cluster.engine("a").isIn("Serving"));
    }

    /** Asks until it has the role: after the end of all faults that is possible. */
    private static void insist(RoleCluster cluster, SimEngine engine) {
        String why = "";
        for (int i = 0; i < 12 && !engine.isIn("Serving"); i++) {
            cluster.world().runFor(2_000 * MILLISECOND);
            why =
                    cluster.outcome(
                            engine,
                            "handover",
                            (host, reply) -> host.promote("r", true, SimEngine.PATIENCE, reply));
        }
        cluster.require("the role can be had: " + why, engine.isIn("Serving"));
    }

    private static void event(RoleCluster cluster, SimRandom random) {
        SimWorld world = cluster.world();
        int count = cluster.all().size();
        SimEngine drawn = cluster.all().get(random.below(count));
        SimEngine other = cluster.all().get(random.below(count));
        String from = drawn.machine().name();
        String to = other.machine().name();
        switch (random.below(10)) {
            case 0, 1, 2, 3 -> {
                Duration patience = Duration.ofMillis(random.between(300, 30_000));
                ask(drawn, (host, reply) -> host.promote("r", true, patience, reply));
            }
            case 4 -> ask(drawn, (host, reply) -> host.demote("r", true, null, reply));
            case 5, 6 -> {
                drawn.machine().crash(CrashKind.drawn(random));
                drawn.machine().startAfter(random.between(1, 4000) * MILLISECOND);
            }
            case 7 -> world.network().breakLinks(from, to);
            case 8 -> {
                world.network().partition(from, to);
                world.after(
                        random.between(1, 30_000) * MILLISECOND,
                        "heal",
                        () -> world.network().heal(from, to));
            }
            default -> {
                world.network().block(from, to);
                world.after(
                        random.between(1, 9_000) * MILLISECOND,
                        "heal",
                        () -> world.network().heal(from, to));
            }
        }
    }

    private static void ask(SimEngine engine, RoleCluster.Asking asking) {
        engine.ask(host -> {
            if (host.status("r") != null) {
                asking.ask(host, SimEngine.anyAnswer());
            }
        });
    }
}
