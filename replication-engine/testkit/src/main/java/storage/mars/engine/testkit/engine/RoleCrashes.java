// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import java.util.List;
import java.util.function.BiConsumer;
import storage.mars.engine.testkit.disk.CrashKind;
import storage.mars.engine.testkit.disk.Fate;
import storage.mars.engine.testkit.oracle.CellPattern;
import storage.mars.engine.testkit.oracle.DurabilityChecker;
import storage.mars.engine.testkit.oracle.WriteHistory;
import storage.mars.engine.testkit.sim.CrashPlan;
import storage.mars.engine.testkit.sim.CrashPoints;
import storage.mars.engine.testkit.sim.SimWorld;
import storage.mars.engine.testkit.workload.Workload;
import storage.mars.engine.testkit.workload.WorkloadSettings;

/**
 * The protocols of roles, each crashed at every step of either machine: recovery, planned stop and
 * the start behind it, planned handover, forced promotion, joining, and the sync that follows it.
 * After any crash the one who asked asks again, as an operator would, until it is done; then
 * nothing is lost, and both hold the same.
 */
public final class RoleCrashes {

    private static final long SECOND = 1_000_000_000L;

    private RoleCrashes() {}

    /** A protocol to be crashed. */
    public enum Protocol {
        RECOVERY,
        HANDOVER,
        FORCED,
        JOIN,
        LAYING_DOWN,
        PLANNED_STOP
    }

    /** Crashes machine {@code victim} (a or b) in that protocol; says how often it has run. */
    public static int run(
            Protocol protocol, String victim, long seed, int singles, int pairs, List<Fate> fates) {
        BiConsumer<SimWorld, CrashPlan> story =
                (world, plan) -> new Story(world, plan, victim).tell(protocol);
        return new CrashPoints(seed, story, singles, pairs).run(fates).runs();
    }

    private static final class Story {

        private final SimWorld world;
        private final CrashPlan plan;
        private final RoleCluster cluster;
        private final SimEngine a;
        private final SimEngine b;
        private final SimEngine victim;

        Story(SimWorld world, CrashPlan plan, String victim) {
            this.world = world;
            this.plan = plan;
            cluster = new RoleCluster(world, "a", "b");
            a = cluster.engine("a");
            b = cluster.engine("b");
            this.victim = cluster.engine(victim);
        }

        void tell(Protocol protocol) {
            switch (protocol) {
                case RECOVERY -> recovery();
                case HANDOVER -> handover();
                case FORCED -> forced();
                case JOIN -> join();
                case LAYING_DOWN -> layingDown();
                case PLANNED_STOP -> plannedStop();
            }
        }

        private void written() {
            cluster.born();
            new LoneWriter(world, a).write(8);
            cluster.untilCaughtUp();
        }

        private void arm() {
            plan.arm(victim.machine());
        }

        /** The last crash has come, and its machine is back. */
        private void quiet() {
            cluster.until(
                    "the crashes are over", () -> plan.isDone() && a.isReady() && b.isReady(), 60);
            plan.disarm();
        }

        private void ask(SimEngine engine, String what, RoleCluster.Asking asking) {
            String why = "";
            for (int i = 0; i < 30 && !engine.isIn("Serving"); i++) {
                if (engine.isReady() && engine.status() != null) {
                    why = cluster.outcome(engine, what, asking);
                }
                world.runFor(SECOND / 2);
            }
            cluster.require(what + " is done at last: " + why, engine.isIn("Serving"));
        }

        private void whole(SimEngine primary) {
            cluster.until("it serves", () -> primary.isIn("Serving"), 60);
            cluster.untilCaughtUp();
            cluster.requireSameImages();
            cluster.requireExactly(a, primary.known().positions().durable(), primary);
            new LoneWriter(world, primary).write(3);
            cluster.untilCaughtUp();
            cluster.requireSameImages();
        }

        private void recovery() {
            cluster.born();
            LoneWriter writer = new LoneWriter(world, a);
            writer.write(5);
            victim.machine().crash(CrashKind.POWER);
            world.runFor(SECOND / 10);
            victim.machine().start();
            arm();
            world.runFor(15 * SECOND);
            quiet();
            whole(a);
        }

        /** One engine is stopped by plan and started again, while clients write and read. */
        private void plannedStop() {
            cluster.born();
            WriteHistory history = new WriteHistory(new CellPattern(world.seed()));
            WorkloadSettings busy =
                    WorkloadSettings.mixed().withMaxLength(48 << 10).withThinkNanos(SECOND / 250);
            Workload load = new Workload(world, history, 0, busy, cluster::served);
            load.start();
            cluster.answers(load, 30);
            int start = victim.machine().starts();
            arm();
            victim.stop(CrashKind.PROCESS, this::startAgain);
            cluster.until(
                    "it runs again",
                    () -> victim.machine().starts() > start && victim.isReady(),
                    60);
            cluster.answers(load, 5);
            load.stop();
            cluster.until("all is answered", load::isIdle, 20);
            world.runFor(SECOND);
            quiet();
            load.check();
            cluster.until("it serves", () -> a.isIn("Serving"), 60);
            new DurabilityChecker(history)
                    .check(0, RoleCluster.VOLUME, VolumeReader.read(a, RoleCluster.VOLUME));
            whole(a);
        }

        private void startAgain() {
            world.after(
                    SECOND / 100,
                    "start",
                    () -> {
                        if (!victim.machine().isRunning()) {
                            victim.machine().start();
                            plan.goOn();
                        }
                    });
        }

        private void handover() {
            written();
            long incarnation = a.known().incarnation();
            arm();
            ask(b, "handover", (host, reply) -> host.promote("r", true, SimEngine.PATIENCE, reply));
            world.runFor(2 * SECOND);
            quiet();
            cluster.until("somebody serves", () -> cluster.primary() != null, 60);
            ask(b, "handover", (host, reply) -> host.promote("r", true, SimEngine.PATIENCE, reply));
            whole(b);
            cluster.require("the incarnation stays", b.known().incarnation() == incarnation);
        }

        private void layingDown() {
            written();
            arm();
            for (int i = 0; i < 20 && !a.isIn("Secondary"); i++) {
                if (a.isReady() && a.status() != null) {
                    cluster.outcome(
                            a, "demotion", (host, reply) -> host.demote("r", true, null, reply));
                }
                world.runFor(SECOND / 2);
            }
            ask(b, "taking", (host, reply) -> host.promote("r", true, SimEngine.PATIENCE, reply));
            world.runFor(2 * SECOND);
            quiet();
            ask(b, "taking", (host, reply) -> host.promote("r", true, SimEngine.PATIENCE, reply));
            whole(b);
        }

        /** The role is taken by force while both see each other and nothing is written. */
        private void forced() {
            cluster.laws().allowForce();
            written();
            long incarnation = a.known().incarnation();
            arm();
            ask(
                    b,
                    "forced promotion",
                    (host, reply) -> {
                        var status = host.status("r");
                        var known = status == null ? null : status.known();
                        long term = known == null ? 0 : known.highestTerm();
                        host.promoteByForce("r", term, null, reply);
                    });
            world.runFor(5 * SECOND);
            quiet();
            whole(b);
            cluster.require("the incarnation changes", b.known().incarnation() != incarnation);
        }

        private void join() {
            a.startWith(RoleCluster.VOLUME, RoleCluster.BUDGET);
            LoneWriter writer = new LoneWriter(world, a);
            writer.write(5);
            b.machine().start();
            cluster.until("b starts", b::isReady, 10);
            arm();
            writer.workload().start();
            joinFor(2);
            writer.workload().stop();
            joinFor(120);
            world.runFor(2 * SECOND);
            quiet();
            joinFor(120);
            whole(a);
        }

        /** Asks for that many seconds, or until it is done. */
        private void joinFor(int seconds) {
            for (int i = 0; i < 4 * seconds && !joined(); i++) {
                b.joinUnlessUnderWay(a);
                world.runFor(SECOND / 4);
            }
        }

        private boolean joined() {
            return b.isReady() && b.isIn("Secondary") && b.known().consistent();
        }
    }
}
