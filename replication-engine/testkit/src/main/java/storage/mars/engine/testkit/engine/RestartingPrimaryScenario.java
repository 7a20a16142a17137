// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import storage.mars.engine.testkit.Scenario;
import storage.mars.engine.testkit.disk.CrashKind;
import storage.mars.engine.testkit.disk.View;
import storage.mars.engine.testkit.oracle.CellPattern;
import storage.mars.engine.testkit.oracle.DurabilityChecker;
import storage.mars.engine.testkit.oracle.WriteHistory;
import storage.mars.engine.testkit.schedule.SimRandom;
import storage.mars.engine.testkit.sim.SimMachine;
import storage.mars.engine.testkit.sim.SimWorld;
import storage.mars.engine.testkit.workload.Workload;
import storage.mars.engine.testkit.workload.WorkloadSettings;

/**
 * One primary without members, under load, that crashes again and again: promises 1 to 5, 9 and 10.
 * At the end everything is applied and the image alone must hold it.
 */
public final class RestartingPrimaryScenario implements Scenario {

    private static final long SECOND = 1_000_000_000L;
    private static final long VOLUME = 4L << 20;
    private static final long BUDGET = 12L << 20;
    private static final int ROUNDS = 5;

    @Override
    public String name() {
        return "restarting-primary";
    }

    @Override
    public void run(SimWorld world) {
        SimEngine engine = SimEngine.on(world, "a");
        SimMachine machine = engine.machine();
        WriteHistory history = new WriteHistory(new CellPattern(world.seed()));
        Workload workload =
                new Workload(world, history, 0, WorkloadSettings.mixed(), engine::writable);
        SimRandom random = world.random("story");
        if (world.random("index").chance(1, 3)) {
            engine.indexBlocks(100);
        }
        engine.startWith(VOLUME, BUDGET);
        workload.start();
        for (int round = 0; round < ROUNDS; round++) {
            long target = workload.completed() + random.between(20, 300);
            world.runUntil(
                    "requests are answered", () -> workload.completed() >= target, 300 * SECOND);
            machine.crash(CrashKind.drawn(random));
            machine.startAfter(random.between(1, 50) * 1_000_000L);
            world.runUntil("it serves again", () -> engine.isIn("Serving"), 60 * SECOND);
        }
        long target = workload.completed() + 50;
        world.runUntil("requests are answered", () -> workload.completed() >= target, 300 * SECOND);
        workload.stop();
        world.runUntil("all is answered", workload::isIdle, 100 * SECOND);
        workload.check();
        world.runUntil("all is applied", () -> isApplied(engine), 100 * SECOND);
        new DurabilityChecker(history)
                .check(
                        0,
                        VOLUME,
                        (v, offset, length) ->
                                machine.disk()
                                        .read(SimEngine.image(), View.CURRENT, offset, length));
    }

    private static boolean isApplied(SimEngine engine) {
        var positions = engine.known().positions();
        return positions.checkpoint() == positions.durable();
    }
}
