// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import java.util.List;
import storage.mars.engine.log.ReplicaMetadata.VolumeShape;
import storage.mars.engine.testkit.Scenario;
import storage.mars.engine.testkit.schedule.SimFailure;
import storage.mars.engine.testkit.sim.SimWorld;

/** Many resources on one engine that nobody uses: none of them holds any log memory. */
public final class IdleScenario implements Scenario {

    private static final long SECOND = 1_000_000_000L;
    private static final int RESOURCES = 48;

    @Override
    public String name() {
        return "idle";
    }

    @Override
    public void run(SimWorld world) {
        RoleCluster cluster = new RoleCluster(world, "a");
        SimEngine engine = cluster.engine("a");
        engine.startWith(RoleCluster.VOLUME, RoleCluster.BUDGET);
        for (int i = 0; i < RESOURCES; i++) {
            String name = "r" + i;
            List<VolumeShape> shapes = List.of(new VolumeShape(0, "data", 64 << 10));
            String why =
                    cluster.outcome(
                            engine,
                            "create " + name,
                            (host, reply) -> host.create(name, shapes, 8L << 20, reply));
            cluster.require(name + " is created: " + why, why.isEmpty());
        }
        new LoneWriter(world, engine).write(10);
        world.runFor(5 * SECOND);
        long taken = engine.host().logMemoryTaken();
        if (taken != 0) {
            throw new SimFailure(taken + " bytes of log memory are taken though all is idle");
        }
    }
}
