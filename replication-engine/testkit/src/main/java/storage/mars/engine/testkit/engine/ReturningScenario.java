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
 * has lost, also after a restart. In the event that makes it consistent again its power fails, or
 * its process dies and leaves the cache, or nothing happens: by device and by cache it must then
 * hold the log's content at its received position (promise 6).
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
        drop(cluster, member, random);
        ConsistentMark mark = ConsistentMark.watch(member);
        switch (random.below(3)) {
            case 0 -> mark.crashThen(CrashKind.POWER);
            case 1 -> mark.crashThen(CrashKind.PROCESS);
            default -> {}
        }
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
    private static void drop(SimCluster cluster, SimEngine member, SimRandom random) {
        SimEngine source = cluster.primary();
        if (random.chance(1, 2)) {
            die(cluster, member, random);
        }
        cluster.world.network().partition(source.machine().name(), member.machine().name());
        long end = source.known().positions().durable() + 3 * source.known().log().budgetBytes();
        cluster.await(
                "the log grows", () -> source.known().positions().durable() > end, 600 * SECOND);
    }

    /** The process dies just after a sync of its image has failed, before that is made good. */
    private static void die(SimCluster cluster, SimEngine member, SimRandom random) {
        SimMachine machine = member.machine();
        failSync(machine, 0);
        cluster.await("a sync fails", () -> machine.disk().faults().isExhausted(), 600 * SECOND);
        cluster.world.runFor(random.below(3) * MILLISECOND);
        machine.crash(CrashKind.PROCESS);
    }

    private static void failSync(SimMachine machine, int after) {
        machine.disk()
                .faults()
                .fail(DiskOp.SYNC, SimEngine.image()::equals, after, 1, IoFailure.Kind.IO_ERROR);
    }

    private static void come(
            SimCluster cluster, SimEngine member, ConsistentMark mark, SimRandom random) {
        SimMachine machine = member.machine();
        for (long i = random.below(4); i > 0; i--) {
            failSync(machine, random.below(3));
        }
        cluster.world.network().healAll();
        if (!machine.isRunning()) {
            machine.start();
        }
        long restarts = random.below(3);
        long end = cluster.world.scheduler().now() + 200 * SECOND;
        while (!mark.isSet() && cluster.world.scheduler().now() < end) {
            cluster.world.runFor(random.between(10, 300) * MILLISECOND);
            if (!mark.isSet() && restarts > 0 && machine.isRunning()) {
                restarts--;
                machine.crash(CrashKind.PROCESS);
                machine.startAfter(random.between(1, 100) * MILLISECOND);
            }
        }
        cluster.await("it is a whole copy again", mark::isSet, SECOND);
    }
}
