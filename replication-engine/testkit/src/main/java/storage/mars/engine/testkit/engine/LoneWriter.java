// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import storage.mars.engine.testkit.oracle.CellPattern;
import storage.mars.engine.testkit.oracle.WriteHistory;
import storage.mars.engine.testkit.sim.SimWorld;
import storage.mars.engine.testkit.workload.Workload;
import storage.mars.engine.testkit.workload.WorkloadSettings;

/** Clients of one engine alone, that write and never read: what they write belongs to a branch. */
final class LoneWriter {

    private static final long SECOND = 1_000_000_000L;

    private final SimWorld world;
    private final Workload workload;

    LoneWriter(SimWorld world, SimEngine engine) {
        this.world = world;
        WriteHistory history = new WriteHistory(new CellPattern(world.seed() ^ 0x10e));
        WorkloadSettings writes =
                new WorkloadSettings(2, 4, 64 << 10, 90, 0, 10, 10, 0, 2_000_000, 0, true);
        workload = new Workload(world, history, 0, writes, engine::writable);
    }

    Workload workload() {
        return workload;
    }

    /** Has {@code count} writes answered, then stops. */
    void write(int count) {
        workload.start();
        long target = workload.completed() + count;
        world.runUntil("a branch is written", () -> workload.completed() >= target, 60 * SECOND);
        workload.stop();
        world.runUntil("all is answered", workload::isIdle, 20 * SECOND);
    }
}
