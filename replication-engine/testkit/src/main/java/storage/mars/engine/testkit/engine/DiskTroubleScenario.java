// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import static storage.mars.engine.testkit.engine.SimCluster.MILLISECOND;
import static storage.mars.engine.testkit.engine.SimCluster.SECOND;

import storage.mars.engine.port.IoFailure;
import storage.mars.engine.testkit.Scenario;
import storage.mars.engine.testkit.disk.CrashKind;
import storage.mars.engine.testkit.disk.DiskFaults;
import storage.mars.engine.testkit.disk.DiskOp;
import storage.mars.engine.testkit.schedule.SimFailure;
import storage.mars.engine.testkit.schedule.SimRandom;
import storage.mars.engine.testkit.sim.SimWorld;
import storage.mars.engine.testkit.workload.WorkloadSettings;

/**
 * Images that are slow, full, or fail to be written and synced, and disks without space for another
 * segment: clients wait, none gets an error, nothing is lost, and what was shipped stays a copy
 * (promises 2, 3 and 13).
 */
public final class DiskTroubleScenario implements Scenario {

    private static final long VOLUME = 2L << 20;
    private static final long BUDGET = 64L << 20;

    @Override
    public String name() {
        return "disk-trouble";
    }

    @Override
    public void run(SimWorld world) {
        SimRandom random = world.random("story");
        WorkloadSettings settings =
                WorkloadSettings.mixed().withThinkNanos(random.between(2, 20) * MILLISECOND);
        SimCluster cluster = new SimCluster(world, random.chance(1, 3) ? 1 : 2, VOLUME, settings);
        if (random.chance(1, 2)) {
            cluster.engines.forEach(engine -> engine.indexBlocks(100));
        }
        cluster.begin(BUDGET);
        cluster.workload.start();
        long rounds = random.between(2, 5);
        for (int round = 0; round < rounds; round++) {
            cluster.work(random.between(20, 200));
            SimEngine engine = cluster.engines.get(random.below(cluster.engines.size()));
            if (random.chance(1, 3)) {
                fill(cluster, engine, random);
            } else {
                imageFaults(cluster, engine, random);
            }
            cluster.requireNoDamage();
            cluster.requireNoError();
        }
        cluster.finish();
        cluster.requireNoError();
    }

    /** No space for another segment, nor for holes of the image, until there is. */
    private static void fill(SimCluster cluster, SimEngine engine, SimRandom random) {
        SimWorld world = cluster.world;
        DiskFaults faults = engine.machine().disk().faults();
        long used = Long.MAX_VALUE - engine.machine().disk().usableBytes();
        faults.capacity(used + random.below(SimEngine.SEGMENT));
        world.runFor(random.between(500, 10_000) * MILLISECOND);
        if (random.chance(1, 3)) {
            crash(cluster, engine, random);
            world.runFor(random.between(1, 3000) * MILLISECOND);
        }
        boolean stalled = engine.isIn("Serving") && engine.known().counters().stalled();
        boolean told = !stalled || engine.shows("LogSpace", "LogFull");
        if (!told && engine.known().log().stall() != null) {
            throw new SimFailure("the log is full and nobody is told: " + engine.status());
        }
        faults.capacity(Long.MAX_VALUE);
        cluster.await("it serves again", () -> isOpen(cluster, engine), 60 * SECOND);
    }

    private static boolean isOpen(SimCluster cluster, SimEngine engine) {
        return engine.isIn(engine == cluster.primary() ? "Serving" : "Secondary");
    }

    private static void crash(SimCluster cluster, SimEngine engine, SimRandom random) {
        engine.machine().crash(CrashKind.drawn(random));
        engine.machine().startAfter(random.between(1, 100) * MILLISECOND);
        cluster.world.runFor(200 * MILLISECOND);
    }

    private static void imageFaults(SimCluster cluster, SimEngine engine, SimRandom random) {
        DiskFaults faults = engine.machine().disk().faults();
        IoFailure.Kind kind =
                random.chance(1, 2) ? IoFailure.Kind.IO_ERROR : IoFailure.Kind.NO_SPACE;
        int skip = random.below(5);
        int times = (int) random.between(1, 6);
        switch (random.below(4)) {
            case 0 -> faults.fail(DiskOp.WRITE, DiskTroubleScenario::isImage, skip, times, kind);
            case 1 -> faults.fail(DiskOp.ZERO, DiskTroubleScenario::isImage, skip, times, kind);
            case 2 ->
                    faults.fail(
                            DiskOp.SYNC,
                            DiskTroubleScenario::isImage,
                            0,
                            times,
                            IoFailure.Kind.IO_ERROR);
            default -> faults.slowFiles(DiskTroubleScenario::isImage, random.below(2 * SECOND) + 1);
        }
        cluster.world.runFor(random.between(100, 8000) * MILLISECOND);
        if (random.chance(1, 2)) {
            crash(cluster, engine, random);
        }
        faults.clear();
        cluster.await("it serves again", () -> isOpen(cluster, engine), 60 * SECOND);
    }

    private static boolean isImage(String name) {
        return name.endsWith(".img");
    }
}
