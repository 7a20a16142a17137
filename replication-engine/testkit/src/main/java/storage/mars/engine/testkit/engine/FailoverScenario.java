// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import storage.mars.engine.testkit.Scenario;
import storage.mars.engine.testkit.oracle.CellPattern;
import storage.mars.engine.testkit.oracle.WriteHistory;
import storage.mars.engine.testkit.sim.SimWorld;
import storage.mars.engine.testkit.workload.Workload;
import storage.mars.engine.testkit.workload.WorkloadSettings;

/**
 * The shortest story of two replicas: one is created, the other joins, the role goes over by plan
 * and back by force, and the old primary is fenced and keeps what it wrote alone as a branch
 * (promises 7, 11 and 12).
 */
public final class FailoverScenario implements Scenario {

    private static final long SECOND = 1_000_000_000L;

    @Override
    public String name() {
        return "failover";
    }

    @Override
    public void run(SimWorld world) {
        RoleCluster cluster = new RoleCluster(world, "a", "b").born();
        SimEngine a = cluster.engine("a");
        SimEngine b = cluster.engine("b");
        WriteHistory history = new WriteHistory(new CellPattern(world.seed()));
        Workload workload =
                new Workload(world, history, 0, WorkloadSettings.mixed(), cluster::served);
        workload.start();
        cluster.answers(workload, 200);
        long incarnation = a.known().incarnation();
        cluster.handOver(b, true);
        cluster.require("the incarnation stays", b.known().incarnation() == incarnation);
        cluster.answers(workload, 200);
        workload.stop();
        world.runUntil("all is answered", workload::isIdle, 20 * SECOND);
        workload.check();
        cluster.untilCaughtUp();
        cluster.requireSameImages();

        world.network().partition("a", "b");
        LoneWriter alone = new LoneWriter(world, b);
        alone.write(20);
        cluster.laws().allowForce();
        cluster.force(a, a.known().highestTerm());
        cluster.require("the incarnation changes", a.known().incarnation() != incarnation);
        cluster.require("b goes on alone", b.isIn("Serving"));
        world.network().healAll();
        world.runUntil("b is fenced and diverged", () -> b.isIn("Diverged"), 60 * SECOND);
        cluster.require("b says why", b.shows("HistoryLinear", "Diverged"));
        cluster.require("b has no writable export", b.writable() == null);
    }
}
