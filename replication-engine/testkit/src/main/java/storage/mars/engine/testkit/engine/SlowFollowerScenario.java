// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import storage.mars.engine.testkit.Scenario;
import storage.mars.engine.testkit.schedule.SimRandom;
import storage.mars.engine.testkit.sim.SimWorld;

/**
 * A secondary whose log disk is slow still writes what it has received from the primary when
 * another one, cut off from that primary, is promoted by force at a point between what is durable
 * and what is received there. It must find the fork all the same: nothing of the old log is taken
 * for the new one's (promise 7).
 */
public final class SlowFollowerScenario implements Scenario {

    private static final long MILLISECOND = 1_000_000L;

    @Override
    public String name() {
        return "slow-follower";
    }

    @Override
    public void run(SimWorld world) {
        SimRandom random = world.random("story");
        RoleCluster cluster = new RoleCluster(world, "a", "b", "c");
        cluster.laws().allowForce();
        cluster.born();
        SimEngine a = cluster.engine("a");
        SimEngine b = cluster.engine("b");
        SimEngine c = cluster.engine("c");
        LoneWriter writer = new LoneWriter(world, a);
        writer.write(20);
        cluster.untilCaughtUp();
        long term = a.known().highestTerm();
        b.machine()
                .disk()
                .faults()
                .slowFiles(name -> name.contains("/log/"), random.between(500, 5000) * MILLISECOND);
        writer.workload().start();
        world.runFor(random.below(50) * MILLISECOND);

        world.network().partition("a", "c");
        world.runFor(random.between(1, 300) * MILLISECOND);
        cluster.force(c, term);
        long fork = c.known().history().last().start();
        world.runFor(random.between(1, 500) * MILLISECOND);
        writer.workload().stop();
        new LoneWriter(world, c).write((int) random.between(1, 20));
        cluster.heal();
        b.machine().disk().faults().clear();
        cluster.until("a is fenced", () -> ForcedScenario.settled(a, c), 90);

        for (SimEngine engine : cluster.all()) {
            cluster.until(
                    engine.machine().name() + " knows where it belongs",
                    () -> engine == c || ForcedScenario.belongs(cluster, engine, c, fork),
                    90);
        }
        cluster.requireExactly(c, c.known().positions().durable(), c);
    }
}
