// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import static storage.mars.engine.testkit.engine.SimCluster.MILLISECOND;
import static storage.mars.engine.testkit.engine.SimCluster.SECOND;

import storage.mars.engine.testkit.Scenario;
import storage.mars.engine.testkit.disk.CrashKind;
import storage.mars.engine.testkit.schedule.SimFailure;
import storage.mars.engine.testkit.schedule.SimRandom;
import storage.mars.engine.testkit.sim.SimMachine;
import storage.mars.engine.testkit.sim.SimWorld;
import storage.mars.engine.testkit.workload.WorkloadSettings;

/**
 * A small log and a secondary that is away: the primary goes on without waiting, drops it, and has
 * it back by a sync (promises 8 and 13).
 */
public final class FullLogScenario implements Scenario {

    private static final long VOLUME = 2L << 20;
    private static final long PAUSE = 2 * SECOND;

    @Override
    public String name() {
        return "full-log";
    }

    @Override
    public void run(SimWorld world) {
        SimRandom random = world.random("story");
        WorkloadSettings settings =
                WorkloadSettings.mixed().withThinkNanos(random.between(2, 8) * MILLISECOND);
        SimCluster cluster = new SimCluster(world, random.chance(1, 2) ? 2 : 3, VOLUME, settings);
        cluster.begin(random.between(3, 8) * SimEngine.SEGMENT);
        cluster.workload.start();
        long rounds = random.between(1, 3);
        for (int round = 0; round < rounds; round++) {
            cluster.work(50);
            away(cluster, random);
        }
        cluster.requireNoError();
        cluster.finish();
    }

    private static void away(SimCluster cluster, SimRandom random) {
        SimWorld world = cluster.world;
        SimMachine source = cluster.primary().machine();
        SimEngine engine = cluster.secondaries().get(random.below(cluster.secondaries().size()));
        SimMachine machine = engine.machine();
        if (random.chance(1, 2)) {
            machine.crash(CrashKind.drawn(random));
        } else {
            world.network().partition(source.name(), machine.name());
        }
        long begin = cluster.primary().known().positions().durable();
        long budget = cluster.primary().known().log().budgetBytes();
        long last = world.scheduler().now();
        long seen = cluster.workload.completed();
        boolean crash = random.chance(1, 3);
        while (cluster.primary().known().positions().durable() < begin + 3 * budget / 2) {
            world.runFor(10 * MILLISECOND);
            long now = world.scheduler().now();
            if (cluster.workload.completed() > seen) {
                seen = cluster.workload.completed();
                last = now;
            } else if (now - last > PAUSE) {
                throw new SimFailure("the primary waits: " + cluster.primary().status());
            }
            if (crash && random.chance(1, 50)) {
                crash = false;
                source.crash(CrashKind.drawn(random));
                source.startAfter(MILLISECOND);
                world.runFor(2 * MILLISECOND);
                cluster.await(
                        "it serves again", () -> cluster.primary().isIn("Serving"), 60 * SECOND);
                last = world.scheduler().now();
            }
        }
        world.network().healAll();
        if (!machine.isRunning()) {
            machine.start();
        }
        if (random.chance(2, 3)) {
            cluster.await("the member is back", () -> isBack(engine), 120 * SECOND);
            cluster.requirePrefix(engine);
        }
    }

    private static boolean isBack(SimEngine engine) {
        return engine.isIn("Secondary") && engine.known().consistent();
    }
}
