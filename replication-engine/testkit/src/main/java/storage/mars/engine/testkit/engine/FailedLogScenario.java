// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import static storage.mars.engine.testkit.engine.SimCluster.MILLISECOND;
import static storage.mars.engine.testkit.engine.SimCluster.SECOND;

import java.util.function.Predicate;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.testkit.Scenario;
import storage.mars.engine.testkit.disk.CrashKind;
import storage.mars.engine.testkit.disk.DiskOp;
import storage.mars.engine.testkit.schedule.SimRandom;
import storage.mars.engine.testkit.sim.SimWorld;
import storage.mars.engine.testkit.workload.WorkloadSettings;

/**
 * The log or the metadata of one engine cannot be written or synced: the replica fails for good,
 * everybody who waits is told, and a restart finds everything that was acknowledged (promise 2).
 */
public final class FailedLogScenario implements Scenario {

    private static final long VOLUME = 1L << 20;
    private static final long BUDGET = 32L << 20;

    @Override
    public String name() {
        return "failed-log";
    }

    @Override
    public void run(SimWorld world) {
        SimRandom random = world.random("story");
        WorkloadSettings settings =
                WorkloadSettings.mixed().withThinkNanos(random.between(2, 20) * MILLISECOND);
        SimCluster cluster = new SimCluster(world, random.chance(1, 2) ? 1 : 2, VOLUME, settings);
        cluster.begin(BUDGET);
        cluster.workload.start();
        long rounds = random.between(1, 4);
        for (int round = 0; round < rounds; round++) {
            cluster.work(random.between(1, 150));
            fail(cluster, random);
        }
        cluster.finish();
    }

    private static void fail(SimCluster cluster, SimRandom random) {
        SimWorld world = cluster.world;
        SimEngine engine = cluster.engines.get(random.below(cluster.engines.size()));
        boolean log = random.chance(2, 3);
        Predicate<String> names = name -> log ? name.endsWith(".log") : name.endsWith("/meta");
        IoFailure.Kind kind =
                random.chance(3, 4) ? IoFailure.Kind.IO_ERROR : IoFailure.Kind.NO_SPACE;
        engine.machine()
                .disk()
                .faults()
                .fail(DiskOp.SYNC, names, random.below(log ? 6 : 2), 1, kind);
        if (!log) {
            // A switch that stays as it is is recorded all the same.
            engine.ask(h -> h.pauseApply("r", false, SimEngine.anyAnswer()));
        }
        cluster.await("it fails", () -> engine.isIn("Failed"), 20 * SECOND);
        if (engine == cluster.primary()) {
            world.runFor(random.between(10, 100) * MILLISECOND);
            cluster.await("waiters are told", cluster::nobodyWaits, 5 * SECOND);
        }
        world.runFor(random.between(1, 3000) * MILLISECOND);
        engine.machine().crash(CrashKind.drawn(random));
        engine.machine().disk().faults().clear();
        engine.machine().startAfter(random.between(1, 1000) * MILLISECOND);
        world.runFor(2 * MILLISECOND);
        String state = engine == cluster.primary() ? "Serving" : "Secondary";
        cluster.await("it is open again", () -> engine.isIn(state), 60 * SECOND);
    }
}
