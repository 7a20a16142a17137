// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import static storage.mars.engine.testkit.engine.SimCluster.MILLISECOND;
import static storage.mars.engine.testkit.engine.SimCluster.SECOND;

import storage.mars.engine.testkit.Scenario;
import storage.mars.engine.testkit.disk.CrashKind;
import storage.mars.engine.testkit.net.NetworkSettings;
import storage.mars.engine.testkit.schedule.SimRandom;
import storage.mars.engine.testkit.sim.SimMachine;
import storage.mars.engine.testkit.sim.SimWorld;
import storage.mars.engine.testkit.workload.WorkloadSettings;

/**
 * A primary under load and one or two secondaries; all of them crash, links break, paths are cut,
 * the network gets slow. A consistent secondary is at each moment a prefix of the primary's log
 * (promises 3, 4, 6, 8), and when the faults have ended all contents are equal.
 */
public final class ShippingScenario implements Scenario {

    private static final long VOLUME = 2L << 20;
    private static final long BUDGET = 64L << 20;

    @Override
    public String name() {
        return "shipping";
    }

    @Override
    public void run(SimWorld world) {
        SimRandom random = world.random("story");
        WorkloadSettings settings =
                WorkloadSettings.mixed().withThinkNanos(random.between(5, 50) * MILLISECOND);
        SimCluster cluster = new SimCluster(world, random.chance(1, 2) ? 2 : 3, VOLUME, settings);
        if (world.random("index").chance(1, 3)) {
            cluster.engines.forEach(engine -> engine.indexBlocks(100));
        }
        cluster.begin(BUDGET);
        cluster.workload.start();
        cluster.readSecondaries(random.between(5, 100) * MILLISECOND);
        long rounds = random.between(4, 10);
        for (int round = 0; round < rounds; round++) {
            world.runFor(random.between(10, 1500) * MILLISECOND);
            trouble(cluster, random);
            cluster.requireNoDamage();
        }
        cluster.finish();
    }

    static void trouble(SimCluster cluster, SimRandom random) {
        SimWorld world = cluster.world;
        SimEngine drawn = cluster.engines.get(random.below(cluster.engines.size()));
        SimEngine other = cluster.secondaries().get(random.below(cluster.secondaries().size()));
        SimMachine machine = drawn.machine();
        String from = machine.name();
        String to = other == drawn ? cluster.primary().machine().name() : other.machine().name();
        switch (random.below(11)) {
            case 0, 1, 2 -> {
                machine.crash(CrashKind.drawn(random));
                machine.startAfter(random.between(1, 3000) * MILLISECOND);
            }
            case 3 -> world.network().breakLinks(from, to);
            case 4 -> {
                world.network().partition(from, to);
                world.after(
                        random.between(10, 8000) * MILLISECOND,
                        "heal",
                        () -> world.network().heal(from, to));
            }
            case 5 -> {
                world.network().block(from, to);
                world.after(
                        random.between(10, 30_000) * MILLISECOND,
                        "heal",
                        () -> world.network().heal(from, to));
            }
            case 6 -> {
                NetworkSettings local = NetworkSettings.local();
                world.network()
                        .settings(
                                random.chance(1, 2)
                                        ? local.withLatency(MILLISECOND, 200 * MILLISECOND)
                                        : local.withBytesPerSecond(2_000_000));
                world.after(4 * SECOND, "fast", () -> world.network().settings(local));
            }
            case 7 ->
                    drawn.ask(
                            h -> h.pauseShipping("r", random.chance(1, 2), SimEngine.anyAnswer()));
            case 8 -> cluster.pauseApply(drawn, random.chance(1, 2));
            default -> {
                if (machine.isRunning() && drawn != cluster.primary()) {
                    cluster.requirePrefix(drawn);
                }
            }
        }
    }
}
