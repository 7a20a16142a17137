// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.disk;

import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.IoFailure;

/** A range is made to read as zero. */
final class ZeroOperation extends DiskOperation {

    private final SimBlockFile handle;
    private final long position;
    private final long length;
    private final Completion done;

    ZeroOperation(SimBlockFile handle, long position, long length, Completion done) {
        super(DiskOp.ZERO, handle.shard);
        this.handle = handle;
        this.position = position;
        this.length = length;
        this.done = done;
    }

    @Override
    String name() {
        return handle.file.name;
    }

    @Override
    void perform(@Nullable IoFailure planned) {
        IoFailure failure = planned == null ? handle.obstacle(position, length, false) : planned;
        interrupted(failure == null ? Fate.EVERYTHING : Fate.HALF);
        done.completed(failure);
    }

    @Override
    void interrupted(Fate fate) {
        handle.file.zero(position, length, fate);
    }
}
