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
        this(world, engine, new WriteHistory(new CellPattern(world.seed() ^ 0x10e)), 64 << 10);
    }

    /** What is written goes into {@code history}; requests have at most {@code maxLength} bytes. */
    LoneWriter(SimWorld world, SimEngine engine, WriteHistory history, int maxLength) {
        this.world = world;
        WorkloadSettings writes =
                new WorkloadSettings(2, 4, maxLength, 90, 0, 10, 10, 0, 2_000_000, 0, true);
        workload = new Workload(world, history, 0, writes, engine::writable);
    }

    Workload workload() {
        return workload;
    }

    /** Has {@code count} writes answered, then stops. */
    void write(int count) {
        answered(count);
        stop();
    }

    /** Has {@code count} writes answered and goes on writing. */
    void answered(int count) {
        workload.start();
        long target = workload.completed() + count;
        world.runUntil("writes are answered", () -> workload.completed() >= target, 60 * SECOND);
    }

    /** Writes no more; waits for what is under way. */
    void stop() {
        workload.stop();
        world.runUntil("all is answered", workload::isIdle, 20 * SECOND);
    }
}
