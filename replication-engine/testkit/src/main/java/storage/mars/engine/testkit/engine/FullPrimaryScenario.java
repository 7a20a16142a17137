// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import storage.mars.engine.port.IoFailure;
import storage.mars.engine.testkit.Scenario;
import storage.mars.engine.testkit.disk.CrashKind;
import storage.mars.engine.testkit.disk.DiskFaults;
import storage.mars.engine.testkit.disk.DiskOp;
import storage.mars.engine.testkit.oracle.CellPattern;
import storage.mars.engine.testkit.oracle.DurabilityChecker;
import storage.mars.engine.testkit.oracle.WriteHistory;
import storage.mars.engine.testkit.schedule.SimRandom;
import storage.mars.engine.testkit.sim.SimWorld;
import storage.mars.engine.testkit.workload.Workload;
import storage.mars.engine.testkit.workload.WorkloadSettings;

/**
 * The log of the primary is full, by its budget or for lack of disk, and stays full: its images
 * take nothing more, so that no checkpoint helps. Clients wait without an error and status says
 * why; what is durable is shipped to a member that was away meanwhile; a restart recovers and
 * serves reads; the role goes by plan to a member with space, which serves. Only then space comes
 * back, and all hold the same (promises 1, 5 and 13).
 */
public final class FullPrimaryScenario implements Scenario {

    private static final long MILLISECOND = 1_000_000L;
    private static final long SECOND = 1_000 * MILLISECOND;
    private static final long VOLUME = 4L << 20;

    @Override
    public String name() {
        return "full-primary";
    }

    @Override
    public void run(SimWorld world) {
        SimRandom random = world.random("story");
        boolean disk = random.chance(1, 2);
        long budget = disk ? RoleCluster.BUDGET : random.between(3, 5) * SimEngine.SEGMENT;
        RoleCluster cluster =
                random.chance(1, 2)
                        ? new RoleCluster(world, VOLUME, budget, "a", "b")
                        : new RoleCluster(world, VOLUME, budget, "a", "b", "c");
        cluster.born();
        SimEngine a = cluster.engine("a");
        SimEngine b = cluster.engine("b");
        WriteHistory history = new WriteHistory(new CellPattern(world.seed()));
        WorkloadSettings settings =
                WorkloadSettings.mixed().withThinkNanos(random.between(2, 10) * MILLISECOND);
        Workload workload = new Workload(world, history, 0, settings, cluster::served);
        workload.start();
        cluster.answers(workload, random.between(20, 100));
        if (cluster.all().size() == 3) {
            cluster.engine("c").machine().crash(CrashKind.drawn(random));
        }

        fill(cluster, random, disk);
        requireWaiting(cluster, workload, a);
        world.network().heal("a", "b");
        cluster.until(
                "what is durable is shipped",
                () -> b.known().positions().durable() == a.known().positions().durable(),
                60);
        if (random.chance(2, 3)) {
            workload.stop();
            restart(cluster, random, a);
            new DurabilityChecker(history).check(0, VOLUME, VolumeReader.read(a, VOLUME));
            workload.start();
            requireWaiting(cluster, workload, a);
        }
        cluster.until("they have met", () -> isConnected(b), 60);
        cluster.handOver(b, true);
        cluster.answers(workload, random.between(20, 200));
        cluster.require("a is full still", a.isIn("Secondary") && isHeldUp(a));

        a.machine().disk().faults().clear();
        a.machine().disk().faults().capacity(Long.MAX_VALUE);
        cluster.heal();
        cluster.answers(workload, 20);
        workload.stop();
        cluster.until("all is answered", workload::isIdle, 20);
        workload.check();
        cluster.require("no client got an error", workload.failed() == 0);
        cluster.untilCaughtUp();
        cluster.requireSameImages();
        cluster.requireExactly(b, b.known().positions().durable(), b);
        new DurabilityChecker(history).check(0, VOLUME, VolumeReader.read(b, VOLUME));
    }

    /** Up to the end of the log's budget or of the disk, while b is away for the last part. */
    private static void fill(RoleCluster cluster, SimRandom random, boolean disk) {
        SimEngine a = cluster.engine("a");
        SimEngine b = cluster.engine("b");
        DiskFaults faults = a.machine().disk().faults();
        for (DiskOp op : new DiskOp[] {DiskOp.WRITE, DiskOp.ZERO}) {
            faults.fail(
                    op, SimEngine.image()::equals, 0, Integer.MAX_VALUE, IoFailure.Kind.NO_SPACE);
        }
        if (disk) {
            long used = Long.MAX_VALUE - a.machine().disk().usableBytes();
            faults.capacity(used + random.below(SimEngine.SEGMENT));
        }
        long checkpoint = a.known().positions().durable();
        cluster.until(
                "b has what the images lack",
                () -> b.known().positions().durable() >= checkpoint,
                30);
        cluster.world().network().partition("a", "b");
        cluster.until("the log is full", () -> isFull(a), 120);
        cluster.require(
                "b lacks something",
                b.known().positions().durable() < a.known().positions().durable());
    }

    private static boolean isFull(SimEngine engine) {
        return engine.isIn("Serving")
                && engine.known().counters().stalled()
                && engine.shows("LogSpace", "LogFull");
    }

    private static boolean isHeldUp(SimEngine secondary) {
        var positions = secondary.known().positions();
        return positions.applied() < positions.received();
    }

    /** Nothing is admitted, nobody gets an error, and status says so. */
    private static void requireWaiting(RoleCluster cluster, Workload workload, SimEngine a) {
        cluster.until("clients wait", () -> isFull(a) && !workload.isIdle(), 60);
        long durable;
        long rounds = 0;
        do {
            cluster.require("what is left of the log is used up soon", rounds++ < 10);
            durable = a.known().positions().durable();
            cluster.world().runFor(2 * SECOND);
        } while (durable != a.known().positions().durable());
        cluster.require("clients wait", isFull(a) && !workload.isIdle());
        cluster.require("no client got an error", workload.failed() == 0);
    }

    private static void restart(RoleCluster cluster, SimRandom random, SimEngine a) {
        a.machine().crash(CrashKind.drawn(random));
        a.machine().startAfter(random.between(1, 100) * MILLISECOND);
        cluster.world().runFor(200 * MILLISECOND);
        cluster.until("the full primary serves again", () -> a.isIn("Serving"), 60);
    }

    private static boolean isConnected(SimEngine engine) {
        return engine.known().members().stream().anyMatch(m -> m.primary() && m.connected());
    }
}
