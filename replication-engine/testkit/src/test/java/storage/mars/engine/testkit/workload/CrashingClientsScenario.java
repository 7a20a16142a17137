// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.workload;

import org.jspecify.annotations.Nullable;
import storage.mars.engine.testkit.Scenario;
import storage.mars.engine.testkit.disk.CrashKind;
import storage.mars.engine.testkit.disk.View;
import storage.mars.engine.testkit.oracle.CellPattern;
import storage.mars.engine.testkit.oracle.DurabilityChecker;
import storage.mars.engine.testkit.oracle.WriteHistory;
import storage.mars.engine.testkit.schedule.SimRandom;
import storage.mars.engine.testkit.sim.SimMachine;
import storage.mars.engine.testkit.sim.SimWorld;

/** Clients of an engine that crashes again and again; the content is judged after each recovery. */
final class CrashingClientsScenario implements Scenario {

    private static final long SECOND = 1_000_000_000;

    private final WriteThroughEngine.Defect defect;
    private final int rounds;
    private @Nullable WriteThroughEngine engine;

    CrashingClientsScenario(WriteThroughEngine.Defect defect, int rounds) {
        this.defect = defect;
        this.rounds = rounds;
    }

    @Override
    public String name() {
        return "crashing-clients";
    }

    @Override
    public void run(SimWorld world) {
        engine = null;
        SimMachine machine =
                world.machine("a", (ports, m) -> engine = WriteThroughEngine.boot(ports, defect));
        WriteHistory history = new WriteHistory(new CellPattern(world.seed()));
        Workload workload =
                new Workload(world, history, 1, WorkloadSettings.mixed(), () -> served(machine));
        SimRandom random = world.random("scenario");
        machine.start();
        workload.start();
        for (int round = 0; round < rounds; round++) {
            long target = workload.completed() + random.between(20, 400);
            world.runUntil("progress", () -> workload.completed() >= target, 100 * SECOND);
            machine.crash(CrashKind.drawn(random));
            world.runFor(1_000_000);
            if (machine.disk().names().contains("image")) {
                new DurabilityChecker(history)
                        .check(
                                1,
                                machine.disk().size("image"),
                                (v, offset, length) ->
                                        machine.disk().read("image", View.CURRENT, offset, length));
            }
            engine = null;
            machine.start();
        }
        workload.stop();
        world.runUntil("all is answered", workload::isIdle, 100 * SECOND);
        workload.check();
    }

    private Workload.@Nullable Served served(SimMachine machine) {
        WriteThroughEngine present = engine;
        return present != null && machine.isRunning() && present.serves()
                ? new Workload.Served(machine, present)
                : null;
    }
}
