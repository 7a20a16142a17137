// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import static storage.mars.engine.testkit.engine.SimCluster.MILLISECOND;
import static storage.mars.engine.testkit.engine.SimCluster.SECOND;

import storage.mars.engine.testkit.Scenario;
import storage.mars.engine.testkit.disk.CrashKind;
import storage.mars.engine.testkit.schedule.SimRandom;
import storage.mars.engine.testkit.sim.SimMachine;
import storage.mars.engine.testkit.sim.SimWorld;
import storage.mars.engine.testkit.workload.WorkloadSettings;

/**
 * New replicas are copied while the primary is being written, through crashes of either side and
 * ends of links. In the event that makes a replica consistent its machine may crash: cut off from
 * everybody, it must then hold the log's content at its received position (promise 6).
 */
public final class JoiningScenario implements Scenario {

    private static final long BUDGET = 64L << 20;

    @Override
    public String name() {
        return "joining";
    }

    @Override
    public void run(SimWorld world) {
        SimRandom random = world.random("story");
        long volume = random.between(4, 24) << 18;
        WorkloadSettings settings =
                WorkloadSettings.mixed().withThinkNanos(random.between(8, 40) * MILLISECOND);
        SimCluster cluster = new SimCluster(world, random.chance(2, 3) ? 2 : 3, volume, settings);
        cluster.primary().startWith(volume, BUDGET);
        cluster.workload.start();
        cluster.work(random.between(1, 200));
        for (SimEngine joining : cluster.secondaries()) {
            join(cluster, joining, random);
        }
        cluster.finish();
    }

    private static void join(SimCluster cluster, SimEngine joining, SimRandom random) {
        SimWorld world = cluster.world;
        SimMachine machine = joining.machine();
        ConsistentMark mark = ConsistentMark.watch(joining);
        if (random.chance(1, 2)) {
            mark.crashThen(CrashKind.drawn(random));
        }
        machine.start();
        if (random.chance(1, 2)) {
            machine.disk().faults().latency(MILLISECOND, random.between(2, 30) * MILLISECOND);
        }
        long troubles = random.below(8);
        long end = world.scheduler().now() + 200 * SECOND;
        while (!mark.isSet() && world.scheduler().now() < end) {
            joining.joinUnlessUnderWay(cluster.primary());
            world.runFor(random.between(1, 100) * MILLISECOND);
            if (!mark.isSet() && troubles > 0 && random.chance(1, 2)) {
                troubles--;
                trouble(cluster, machine, random);
            }
        }
        if (mark.hasCrashed()) {
            world.network().healAll();
            cluster.isolate(joining);
            // An earlier trouble may start it just now.
            if (!machine.isRunning()) {
                machine.start();
            }
            cluster.await("it is open again", () -> joining.isIn("Secondary"), 60 * SECOND);
        }
        cluster.await("it is consistent", () -> mark.isSet(), 10 * SECOND);
        if (joining.isIn("Secondary")) {
            cluster.requirePrefix(joining);
        }
        world.network().healAll();
    }

    private static void trouble(SimCluster cluster, SimMachine machine, SimRandom random) {
        SimWorld world = cluster.world;
        SimMachine source = cluster.primary().machine();
        CrashKind kind = CrashKind.drawn(random);
        switch (random.below(5)) {
            case 0 -> {
                source.crash(kind);
                source.startAfter(random.between(1, 200) * MILLISECOND);
            }
            case 1, 2 -> {
                machine.crash(kind);
                machine.startAfter(random.between(1, 200) * MILLISECOND);
            }
            case 3 -> world.network().breakLinks(source.name(), machine.name());
            default -> {
                world.network().partition(source.name(), machine.name());
                world.after(
                        random.between(1, 9000) * MILLISECOND,
                        "heal",
                        () -> world.network().heal(source.name(), machine.name()));
            }
        }
    }
}
