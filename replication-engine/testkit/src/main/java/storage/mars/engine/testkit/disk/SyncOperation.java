// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.disk;

import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.IoFailure;

/** A sync: proves durable what had completed when it was called, and nothing else. */
final class SyncOperation extends DiskOperation {

    private final SimBlockFile handle;
    private final Capture capture;
    private final Completion done;

    SyncOperation(SimBlockFile handle, Completion done) {
        super(DiskOp.SYNC, handle.shard);
        this.handle = handle;
        this.done = done;
        capture = handle.file.capture();
    }

    @Override
    String name() {
        return handle.file.name;
    }

    @Override
    void perform(@Nullable IoFailure planned) {
        if (planned == null) {
            handle.file.complete(capture);
        } else {
            handle.file.fail(capture);
        }
        done.completed(planned);
    }

    @Override
    void interrupted(Fate fate) {
        if (fate == Fate.EVERYTHING) {
            handle.file.complete(capture);
        }
    }
}
