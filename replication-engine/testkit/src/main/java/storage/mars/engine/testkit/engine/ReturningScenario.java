// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import static storage.mars.engine.testkit.engine.SimCluster.MILLISECOND;
import static storage.mars.engine.testkit.engine.SimCluster.SECOND;

import storage.mars.engine.port.IoFailure;
import storage.mars.engine.testkit.Scenario;
import storage.mars.engine.testkit.disk.CrashKind;
import storage.mars.engine.testkit.disk.DiskOp;
import storage.mars.engine.testkit.schedule.SimRandom;
import storage.mars.engine.testkit.sim.SimMachine;
import storage.mars.engine.testkit.sim.SimWorld;
import storage.mars.engine.testkit.workload.WorkloadSettings;

/**
 * A dropped member comes back on a disk whose syncs fail, so that its cache shows what its device
 * has lost, also after a restart. Its power fails in the event that makes it consistent again: it
 * must then hold the log's content at its received position (promise 6).
 */
public final class ReturningScenario implements Scenario {

    private static final long VOLUME = 4L << 20;

    @Override
    public String name() {
        return "returning";
    }

    @Override
    public void run(SimWorld world) {
        SimRandom random = world.random("story");
        WorkloadSettings settings =
                WorkloadSettings.mixed().withThinkNanos(random.between(4, 30) * MILLISECOND);
        SimCluster cluster = new SimCluster(world, 2, VOLUME, settings);
        cluster.begin(3 * SimEngine.SEGMENT);
        cluster.workload.start();
        cluster.work(random.between(50, 300));
        SimEngine member = cluster.secondaries().getFirst();
        drop(cluster, member);
        ConsistentMark mark = ConsistentMark.watch(member);
        mark.crashThen(CrashKind.POWER);
        come(cluster, member, mark, random);
        cluster.isolate(member);
        if (!member.machine().isRunning()) {
            member.machine().start();
        }
        cluster.await("it is open again", () -> member.isIn("Secondary"), 60 * SECOND);
        cluster.requirePrefix(member);
        cluster.finish();
    }

    /** Away until the log that it needs is not kept any more. */
    private static void drop(SimCluster cluster, SimEngine member) {
        SimEngine source = cluster.primary();
        cluster.world.network().partition(source.machine().name(), member.machine().name());
        long end = source.known().positions().durable() + 3 * source.known().log().budgetBytes();
        cluster.await(
                "the log grows", () -> source.known().positions().durable() > end, 600 * SECOND);
    }

    private static void come(
            SimCluster cluster, SimEngine member, ConsistentMark mark, SimRandom random) {
        SimMachine machine = member.machine();
        for (long i = random.between(1, 3); i > 0; i--) {
            machine.disk()
                    .faults()
                    .fail(
                            DiskOp.SYNC,
                            SimEngine.image()::equals,
                            random.below(3),
                            1,
                            IoFailure.Kind.IO_ERROR);
        }
        cluster.world.network().healAll();
        long restarts = random.below(3);
        long end = cluster.world.scheduler().now() + 200 * SECOND;
        while (!mark.isSet() && cluster.world.scheduler().now() < end) {
            cluster.world.runFor(random.between(10, 300) * MILLISECOND);
            if (!mark.isSet() && restarts > 0) {
                restarts--;
                machine.crash(CrashKind.PROCESS);
                machine.startAfter(random.between(1, 100) * MILLISECOND);
            }
        }
        cluster.await("it is a whole copy again", mark::isSet, SECOND);
    }
}
