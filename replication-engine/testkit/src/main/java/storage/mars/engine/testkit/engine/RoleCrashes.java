// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import storage.mars.engine.log.SegmentLayout;
import storage.mars.engine.testkit.disk.CrashKind;
import storage.mars.engine.testkit.oracle.CellPattern;
import storage.mars.engine.testkit.oracle.DurabilityChecker;
import storage.mars.engine.testkit.oracle.Write;
import storage.mars.engine.testkit.oracle.WriteHistory;
import storage.mars.engine.testkit.sim.CrashPlan;
import storage.mars.engine.testkit.sim.SimWorld;
import storage.mars.engine.testkit.workload.Workload;
import storage.mars.engine.testkit.workload.WorkloadSettings;

/**
 * The protocols of roles, each crashed at every step of either machine: recovery, planned stop and
 * the start behind it, planned handover, the laying down of a role, forced promotion with and
 * without a loss, joining with the first sync, and the sync of a member that was dropped. After any
 * crash the one who asked asks again, as an operator would, until it is done; then nothing is lost,
 * and both hold the same (promises 1 to 7 and 11). Where a fork is, the loser keeps its branch.
 */
public final class RoleCrashes {

    private static final long SECOND = 1_000_000_000L;

    /** A sync copies such a volume in two pieces, and records its progress between them. */
    private static final long TWO_PIECES = 2L << 20;

    private static final long SMALL_LOG = 3L * SimEngine.SEGMENT;

    private RoleCrashes() {}

    /** A protocol to be crashed. */
    public enum Protocol {
        RECOVERY,
        HANDOVER,
        FORCED,
        FORK,
        JOIN,
        SYNC,
        LAYING_DOWN,
        PLANNED_STOP
    }

    /** That protocol, with {@code victim} (a or b) as the machine that crashes. */
    static BiConsumer<SimWorld, CrashPlan> story(Protocol protocol, String victim) {
        return switch (protocol) {
            case JOIN, SYNC ->
                    (world, plan) ->
                            new Story(world, plan, victim, TWO_PIECES, SMALL_LOG).tell(protocol);
            case RECOVERY, HANDOVER, FORCED, FORK, LAYING_DOWN, PLANNED_STOP ->
                    (world, plan) ->
                            new Story(world, plan, victim, RoleCluster.VOLUME, RoleCluster.BUDGET)
                                    .tell(protocol);
        };
    }

    private static final class Story {

        private final SimWorld world;
        private final CrashPlan plan;
        private final RoleCluster cluster;
        private final SimEngine a;
        private final SimEngine b;
        private final SimEngine victim;
        private final WriteHistory history;
        private final long volume;

        Story(SimWorld world, CrashPlan plan, String victim, long volume, long budget) {
            this.world = world;
            this.plan = plan;
            this.volume = volume;
            history = new WriteHistory(new CellPattern(world.seed()));
            history.forgetNothing();
            cluster = new RoleCluster(world, volume, budget, "a", "b");
            a = cluster.engine("a");
            b = cluster.engine("b");
            this.victim = cluster.engine(victim);
        }

        void tell(Protocol protocol) {
            switch (protocol) {
                case RECOVERY -> recovery();
                case HANDOVER -> handover();
                case FORCED -> forced();
                case FORK -> fork();
                case JOIN -> join();
                case SYNC -> sync();
                case LAYING_DOWN -> layingDown();
                case PLANNED_STOP -> plannedStop();
            }
        }

        private LoneWriter writer(SimEngine engine) {
            return writer(engine, 64 << 10);
        }

        private LoneWriter writer(SimEngine engine, int maxLength) {
            return new LoneWriter(world, engine, history, maxLength);
        }

        /** All that was acknowledged is there. */
        private void requirePromised(SimEngine primary) {
            new DurabilityChecker(history).check(0, volume, VolumeReader.read(primary, volume));
        }

        private void written() {
            cluster.born();
            writer(a).write(8);
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
            for (int i = 0; i < 120 && !engine.isIn("Serving"); i++) {
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
            requirePromised(primary);
            writer(primary).write(3);
            cluster.untilCaughtUp();
            cluster.requireSameImages();
        }

        private void recovery() {
            cluster.born();
            LoneWriter writer = writer(a);
            writer.answered(8);
            victim.machine().crash(CrashKind.POWER);
            writer.stop();
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
            for (int i = 0; i < 120 && !a.isIn("Secondary"); i++) {
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
            force();
            world.runFor(5 * SECOND);
            quiet();
            whole(b);
            cluster.require("the incarnation changes", b.known().incarnation() != incarnation);
        }

        private void force() {
            ask(
                    b,
                    "forced promotion",
                    (host, reply) -> {
                        var status = host.status("r");
                        var known = status == null ? null : status.known();
                        long term = known == null ? 0 : known.highestTerm();
                        host.promoteByForce("r", term, null, reply);
                    });
        }

        /**
         * The role is taken by force behind writes that only the old primary has. Both write, then
         * they meet: the new primary has what it had received and what it wrote since, the old one
         * stands at the fork and keeps its branch.
         */
        private void fork() {
            cluster.laws().allowForce();
            written();
            long incarnation = a.known().incarnation();
            world.network().partition("a", "b");
            int kept = history.writes().size();
            writer(a).write(3);
            List<Write> branch = history.writes().subList(kept, history.writes().size());
            long lost = a.known().positions().durable();
            long received = b.known().positions().durable();
            cluster.require("something is lost", cluster.order(a).holdsBetween(received, lost));
            branch.forEach(history::undone);
            arm();
            force();
            cluster.until("b serves", () -> b.isIn("Serving"), 60);
            writer(b).write(2);
            world.network().healAll();
            cluster.until("a stands at the fork", () -> a.isIn("Diverged"), 90);
            world.runFor(2 * SECOND);
            quiet();
            cluster.until("b serves", () -> b.isIn("Serving"), 60);
            writer(b).write(2);
            cluster.require(
                    "a stands at the fork", ForcedScenario.belongs(cluster, a, b, received));
            cluster.require("the branch is kept", a.known().positions().durable() >= lost);
            cluster.require("the incarnation changes", b.known().incarnation() != incarnation);
            cluster.requireExactly(b, b.known().positions().durable(), b);
            requirePromised(b);
        }

        /** A new replica is copied while the primary is written. */
        private void join() {
            cluster.created();
            LoneWriter writer = writer(a);
            writer.write(5);
            b.machine().start();
            cluster.until("b starts", b::isReady, 10);
            arm();
            askUntil("b holds a replica", () -> b.status() != null);
            writer.write(8);
            askUntil("b is whole", this::joined);
            world.runFor(SECOND);
            quiet();
            askUntil("b is whole", this::joined);
            whole(a);
        }

        /** A member was away for longer than its log was kept, and begins again. */
        private void sync() {
            cluster.born();
            world.network().partition("a", "b");
            LoneWriter writer = writer(a, 512 << 10);
            String needed =
                    LogObserver.path(
                            new SegmentLayout(SimEngine.SEGMENT)
                                    .start(b.known().positions().received()));
            while (a.machine().disk().names().contains(needed)) {
                writer.write(10);
            }
            cluster.require("b was whole", b.isIn("Secondary") && b.known().consistent());
            arm();
            world.network().healAll();
            cluster.until("b begins again", this::isCopying, 90);
            writer.write(2);
            cluster.until("b is whole again", this::joined, 120);
            world.runFor(SECOND);
            quiet();
            whole(a);
        }

        private boolean isCopying() {
            return b.isReady() && b.isIn("Secondary") && !b.known().consistent();
        }

        /** Asks to join, as often as it takes. */
        private void askUntil(String what, BooleanSupplier reached) {
            long end = world.scheduler().now() + 120 * SECOND;
            while (!reached.getAsBoolean()) {
                cluster.require(what + " in time", world.scheduler().now() < end);
                b.joinUnlessUnderWay(a);
                world.runFor(SECOND / 1_000);
            }
        }

        private boolean joined() {
            return b.isReady() && b.isIn("Secondary") && b.known().consistent();
        }
    }
}
