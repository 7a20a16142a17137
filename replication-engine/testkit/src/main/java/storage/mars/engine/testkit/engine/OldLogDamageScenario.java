// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import static storage.mars.engine.testkit.engine.SimCluster.MILLISECOND;
import static storage.mars.engine.testkit.engine.SimCluster.SECOND;

import java.util.List;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.testkit.Scenario;
import storage.mars.engine.testkit.disk.CrashKind;
import storage.mars.engine.testkit.disk.DiskOp;
import storage.mars.engine.testkit.disk.SimDisk;
import storage.mars.engine.testkit.schedule.SimFailure;
import storage.mars.engine.testkit.schedule.SimRandom;
import storage.mars.engine.testkit.sim.SimWorld;
import storage.mars.engine.testkit.workload.WorkloadSettings;

/**
 * While a member lags, the log that only it still needs is damaged on the disk of the primary. The
 * primary goes on serving, through a restart too, and says what is wrong; the member comes back by
 * a sync (promises 4, 6, 13 and 15).
 */
public final class OldLogDamageScenario implements Scenario {

    private static final long VOLUME = 2L << 20;
    private static final long BUDGET = 16L * SimEngine.SEGMENT;

    /** More than the window of one log has in memory. */
    private static final long IN_MEMORY = 4L << 20;

    @Override
    public String name() {
        return "old-log-damage";
    }

    @Override
    public void run(SimWorld world) {
        SimRandom random = world.random("story");
        WorkloadSettings settings =
                WorkloadSettings.mixed().withThinkNanos(random.between(2, 8) * MILLISECOND);
        SimCluster cluster = new SimCluster(world, random.chance(1, 2) ? 2 : 3, VOLUME, settings);
        cluster.begin(BUDGET);
        cluster.workload.start();
        cluster.work(20);
        lagAndDamage(cluster, random);
        cluster.finish();
    }

    private static void lagAndDamage(SimCluster cluster, SimRandom random) {
        SimEngine primary = cluster.primary();
        SimEngine member = cluster.secondaries().get(random.below(cluster.secondaries().size()));
        cluster.await("the member is whole", () -> isWhole(member), 60 * SECOND);
        member.ask(h -> h.pauseShipping("r", true, SimEngine.anyAnswer()));
        cluster.await("it is paused", () -> member.known().shippingPaused(), 10 * SECOND);
        cluster.await(
                "it lags, and a checkpoint lies between",
                () -> lags(member, primary),
                300 * SECOND);
        // Else the log is full before the member comes, and it is dropped for that.
        cluster.workload.stop();
        cluster.await("all is answered", cluster.workload::isIdle, 20 * SECOND);
        long end = primary.known().positions().durable();
        damage(cluster, received(member), random);
        if (random.chance(1, 3)) {
            primary.machine().crash(CrashKind.drawn(random));
            cluster.world.runFor(MILLISECOND);
            primary.machine().start();
            cluster.await("it serves again", () -> primary.isIn("Serving"), 60 * SECOND);
        } else {
            cluster.requireNoError();
        }
        member.ask(h -> h.pauseShipping("r", false, SimEngine.anyAnswer()));
        cluster.await(
                "the primary says what is wrong",
                () -> serves(primary) && primary.shows("StorageHealthy", "LogDamage"),
                60 * SECOND);
        cluster.workload.start();
        cluster.await(
                "the member is whole again",
                () ->
                        serves(primary)
                                && isWhole(member)
                                && member.known().positions().received() >= end,
                120 * SECOND);
        primary.machine().disk().faults().clear();
        cluster.requirePrefix(member);
        cluster.workload.stop();
        cluster.await(
                "nothing is wrong any more",
                () -> primary.shows("StorageHealthy", "Healthy"),
                120 * SECOND);
        cluster.workload.start();
    }

    /** What was under way when it was paused still comes. */
    private static long received(SimEngine member) {
        return member.known().positions().received();
    }

    private static boolean lags(SimEngine member, SimEngine primary) {
        long far = received(member) + 2L * SimEngine.SEGMENT;
        return primary.known().positions().checkpoint() > far
                && primary.known().positions().durable() > far + IN_MEMORY;
    }

    private static boolean isWhole(SimEngine engine) {
        return engine.isIn("Secondary") && engine.known().consistent();
    }

    private static boolean serves(SimEngine primary) {
        if (!primary.isIn("Serving")) {
            throw new SimFailure("the primary does not serve: " + primary.status());
        }
        return true;
    }

    /** Between what the member has and the checkpoint, in segments that are over. */
    private static void damage(SimCluster cluster, long received, SimRandom random) {
        SimEngine primary = cluster.primary();
        SimDisk disk = primary.machine().disk();
        long limit =
                Math.min(
                        primary.known().positions().checkpoint(),
                        primary.known().positions().durable() - IN_MEMORY);
        long last = limit - limit % SimEngine.SEGMENT;
        List<LogObserver.Frame> frames =
                cluster.frames().stream()
                        .filter(f -> f.position() >= received && f.position() < last)
                        .toList();
        LogObserver.Frame hit = frames.get(random.below(frames.size()));
        long start = hit.position() - hit.position() % SimEngine.SEGMENT;
        String path = LogObserver.path(start);
        switch (random.below(3)) {
            case 0 -> {
                long at = hit.position() - start + random.below(hit.stored());
                disk.flipBit(path, at * 8 + random.below(8));
            }
            case 1 -> disk.overwrite(path, 0, new byte[SimEngine.SEGMENT]);
            default ->
                    disk.faults().fail(DiskOp.READ, path::equals, 0, 1000, IoFailure.Kind.IO_ERROR);
        }
    }
}
