// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.disk;

import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.testkit.schedule.SimShard;

/** Something that an engine has asked of a disk and that has not completed yet. */
abstract class DiskOperation {

    final DiskOp op;
    final SimShard shard;

    /** Place among the operations under way. */
    int place;

    DiskOperation(DiskOp op, SimShard shard) {
        this.op = op;
        this.shard = shard;
    }

    /** Name of the file or directory, for plans of faults. */
    abstract String name();

    /** Takes effect, or fails as planned, and tells the engine. */
    abstract void perform(@Nullable IoFailure planned);

    /** The machine has crashed: takes as much effect as fate has it, and tells nobody. */
    abstract void interrupted(Fate fate);
}
