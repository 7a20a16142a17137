// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import static storage.mars.engine.testkit.engine.SimCluster.MILLISECOND;
import static storage.mars.engine.testkit.engine.SimCluster.SECOND;

import java.util.Arrays;
import java.util.List;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Storage;
import storage.mars.engine.testkit.Scenario;
import storage.mars.engine.testkit.disk.CrashKind;
import storage.mars.engine.testkit.disk.DiskFaults;
import storage.mars.engine.testkit.disk.DiskOp;
import storage.mars.engine.testkit.disk.SimDisk;
import storage.mars.engine.testkit.schedule.SimRandom;
import storage.mars.engine.testkit.sim.SimMachine;
import storage.mars.engine.testkit.sim.SimWorld;
import storage.mars.engine.testkit.workload.WorkloadSettings;

/**
 * Engines under load are stopped by plan and started again; some crash meanwhile, or soon after the
 * start, some have slow or failing images. Who was stopped in time has all in its image, so that
 * its log may be lost; nothing that was acknowledged ever is (promises 1 to 5).
 */
public final class PlannedStopScenario implements Scenario {

    private static final long VOLUME = 1L << 20;
    private static final long BUDGET = 32L << 20;

    /** Less than the limit of a planned stop: one that took no longer has not given up. */
    private static final long IN_TIME = SECOND * 9 / 10;

    private static final String LOG = "resources/r/log/";

    @Override
    public String name() {
        return "planned-stop";
    }

    @Override
    public void run(SimWorld world) {
        SimRandom random = world.random("story");
        WorkloadSettings settings =
                WorkloadSettings.mixed().withThinkNanos(random.between(2, 20) * MILLISECOND);
        SimCluster cluster = new SimCluster(world, (int) random.between(1, 3), VOLUME, settings);
        cluster.begin(BUDGET);
        cluster.workload.start();
        long rounds = random.between(3, 7);
        for (int round = 0; round < rounds; round++) {
            cluster.work(random.between(5, 150));
            SimEngine engine = cluster.engines.get(random.below(cluster.engines.size()));
            boolean switched = engine != cluster.primary() && random.chance(1, 4);
            if (switched) {
                cluster.pauseApply(engine, random.chance(1, 2));
            }
            new Stop(cluster, engine, switched, random).run();
            cluster.requireNoDamage();
        }
        cluster.finish();
    }

    /** One stop and the start behind it. */
    private static final class Stop {

        private final SimCluster cluster;
        private final SimWorld world;
        private final SimEngine engine;
        private final SimMachine machine;
        private final boolean switched;
        private final SimRandom random;
        private boolean ended;

        /**
         * {@code switched}: apply was paused or resumed just now, which status may not show yet.
         */
        Stop(SimCluster cluster, SimEngine engine, boolean switched, SimRandom random) {
            this.cluster = cluster;
            this.world = cluster.world;
            this.engine = engine;
            this.machine = engine.machine();
            this.switched = switched;
            this.random = random;
        }

        void run() {
            cluster.await("it has started", engine::isReady, 60 * SECOND);
            boolean sound =
                    !switched
                            && isOpen()
                            && engine.known().consistent()
                            && !engine.known().applyPaused();
            long durable = engine.known().positions().durable();
            if (random.chance(1, 4)) {
                trouble();
            }
            long asked = world.scheduler().now();
            engine.stop(CrashKind.drawn(random), () -> ended = true);
            if (random.chance(1, 3)) {
                crashAfter(random.below(40 * MILLISECOND));
            }
            cluster.await("it has ended", () -> !machine.isRunning(), 60 * SECOND);
            boolean inTime = ended && world.scheduler().now() - asked < IN_TIME;
            machine.disk().faults().clear();
            if (sound && inTime) {
                cluster.requireImageHolds(engine, durable);
                damageLog();
            }
            world.runFor(random.between(1, 200) * MILLISECOND);
            machine.start();
            if (random.chance(1, 2)) {
                long after = random.below(80 * MILLISECOND);
                crashAfter(after);
                world.runFor(after + MILLISECOND);
                machine.start();
            }
            cluster.await("it is open again", this::isOpen, 60 * SECOND);
        }

        private boolean isOpen() {
            return engine.isIn(engine == cluster.primary() ? "Serving" : "Secondary");
        }

        private void crashAfter(long nanos) {
            int start = machine.starts();
            world.after(
                    nanos,
                    "crash",
                    () -> {
                        if (machine.starts() == start) {
                            machine.crash(CrashKind.drawn(random));
                        }
                    });
        }

        private void trouble() {
            DiskFaults faults = machine.disk().faults();
            if (random.chance(1, 2)) {
                faults.slowFiles(Stop::isImage, random.below(2 * SECOND) + 1);
            } else {
                DiskOp op = random.chance(1, 2) ? DiskOp.SYNC : DiskOp.WRITE;
                int times = (int) random.between(1, 4);
                faults.fail(op, Stop::isImage, 0, times, IoFailure.Kind.IO_ERROR);
            }
        }

        private static boolean isImage(String name) {
            return name.endsWith(".img");
        }

        /** The log is not needed: it may be gone, or full of rubbish. */
        private void damageLog() {
            SimDisk disk = machine.disk();
            List<String> segments =
                    disk.names().stream()
                            .filter(name -> name.startsWith(LOG) && name.endsWith(".log"))
                            .toList();
            switch (random.below(4)) {
                case 0 -> segments.forEach(disk::remove);
                case 1 -> segments.forEach(name -> disk.replace(name, Storage.Kind.LOG, rubbish()));
                default -> {}
            }
        }

        private static byte[] rubbish() {
            byte[] rubbish = new byte[SimEngine.SEGMENT];
            Arrays.fill(rubbish, (byte) 0x5a);
            return rubbish;
        }
    }
}
