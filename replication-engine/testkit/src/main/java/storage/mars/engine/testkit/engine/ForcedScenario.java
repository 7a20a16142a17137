// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import storage.mars.engine.replica.LossEstimate;
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
 * The primary is cut off, or dies, in the middle of load and a secondary is promoted by force: it
 * goes on from exactly what it had received, says rightly what is lost, and refuses what it must.
 * The old primary fences itself; whoever holds data behind the fork is diverged and keeps it,
 * whoever does not follows (promises 7, 11 and 12).
 */
public final class ForcedScenario implements Scenario {

    private static final long MILLISECOND = 1_000_000L;

    @Override
    public String name() {
        return "forced";
    }

    @Override
    public void run(SimWorld world) {
        SimRandom random = world.random("story");
        RoleCluster cluster =
                random.chance(1, 2)
                        ? new RoleCluster(world, "a", "b")
                        : new RoleCluster(world, "a", "b", "c");
        cluster.laws().allowForce();
        cluster.born();
        SimEngine a = cluster.engine("a");
        SimEngine b = cluster.engine("b");
        WriteHistory history = new WriteHistory(new CellPattern(world.seed()));
        WorkloadSettings settings =
                new WorkloadSettings(
                        3,
                        6,
                        128 << 10,
                        50,
                        38,
                        12,
                        20,
                        0,
                        random.between(2, 30) * MILLISECOND,
                        2_000,
                        false);
        Workload workload = new Workload(world, history, 0, settings, cluster::served);
        workload.start();
        cluster.answers(workload, random.between(20, 200));
        LossCheck.whileConnected(cluster, a, b);

        part(cluster, random);
        long kept = history.tick();
        long sure = a.known().positions().durable();
        world.runFor(random.between(1, 3000) * MILLISECOND);
        boolean died = random.chance(1, 3);
        workload.stop();
        if (died) {
            a.machine().crash(CrashKind.drawn(random));
            world.runFor(MILLISECOND);
        }
        cluster.until("all is answered", workload::isIdle, 20);
        workload.leave();
        workload.check();
        if (b.known().positions().durable() >= sure) {
            history.flushed(kept);
        }
        history.powerCut();
        LossCheck.of(cluster, a, b);
        refusals(cluster, b);
        promote(cluster, a, b);
        long fork = b.known().history().last().start();
        workload.start();
        cluster.answers(workload, 30);
        if (!died && random.chance(1, 2)) {
            new LoneWriter(world, a).write(5);
        }
        cluster.heal();
        cluster.until("a is fenced", () -> settled(a, b), 90);
        cluster.answers(workload, 30);
        workload.stop();
        cluster.until("all is answered", workload::isIdle, 20);
        workload.check();
        for (SimEngine engine : cluster.all()) {
            cluster.until(
                    engine.machine().name() + " knows where it belongs",
                    () -> engine == b || belongs(cluster, engine, b, fork),
                    90);
        }
        cluster.requireExactly(b, b.known().positions().durable(), b);
        new DurabilityChecker(history)
                .check(0, RoleCluster.VOLUME, VolumeReader.read(b, RoleCluster.VOLUME));
    }

    private static void part(RoleCluster cluster, SimRandom random) {
        SimWorld world = cluster.world();
        boolean withC = random.chance(1, 2);
        world.network().partition("a", "b");
        if (cluster.all().size() == 3) {
            if (withC) {
                world.network().partition("a", "c");
            } else {
                world.network().partition("b", "c");
            }
        }
    }

    private static void refusals(RoleCluster cluster, SimEngine b) {
        long term = b.known().highestTerm();
        String stale =
                cluster.outcome(
                        b,
                        "stale promotion",
                        (host, reply) -> host.promoteByForce("r", term - 1, null, reply));
        cluster.require("a stale term is refused: " + stale, stale.contains("--supersedes-term"));
        String none =
                cluster.outcome(
                        b,
                        "promotion",
                        (host, reply) -> host.promoteByForce("r", null, null, reply));
        cluster.require("no term is refused: " + none, none.contains("no term was named"));
        LossEstimate loss = b.known().loss();
        if (loss != null && !loss.exact()) {
            String much =
                    cluster.outcome(
                            b,
                            "bounded promotion",
                            (host, reply) -> host.promoteByForce("r", term, 1L << 40, reply));
            cluster.require(
                    "an unknown loss has no bound: " + much, much.contains("would be lost"));
        }
    }

    private static void promote(RoleCluster cluster, SimEngine a, SimEngine b) {
        long term = b.known().highestTerm();
        long incarnation = b.known().incarnation();
        cluster.force(b, term);
        ReplicaChange.requirePromoted(cluster, b, term, incarnation);
        long received = b.known().history().last().start();
        cluster.requireExactly(a, received, b);
        cluster.force(b, term);
        cluster.require(
                "asking again changes nothing", b.known().history().last().start() == received);
    }

    /** The old primary knows of the new one's term. */
    static boolean settled(SimEngine a, SimEngine b) {
        return (a.isIn("Secondary") || a.isIn("Diverged"))
                && a.known().highestTerm() == b.known().highestTerm();
    }

    /** Diverged with the fork where the winner began, or a follower without anything behind it. */
    static boolean belongs(RoleCluster cluster, SimEngine engine, SimEngine b, long fork) {
        if (engine.isIn("Diverged")) {
            var known = engine.known();
            long end = known.positions().durable();
            cluster.require(
                    "what is diverged holds data behind the fork",
                    known.fork() != null
                            && known.fork().position() == fork
                            && cluster.order(engine).holdsBetween(fork, end));
            return engine.shows("HistoryLinear", "Diverged") && engine.writable() == null;
        }
        long end = b.known().positions().durable();
        boolean level =
                engine.isIn("Secondary")
                        && engine.known().positions().durable() == end
                        && engine.known().positions().applied() == end
                        && engine.known().history().equals(b.known().history());
        if (level) {
            cluster.requireExactly(b, end, engine);
        }
        return level;
    }
}
