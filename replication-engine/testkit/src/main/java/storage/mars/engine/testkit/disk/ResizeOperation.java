// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.disk;

import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Storage;

/** A file grows. */
final class ResizeOperation extends DiskOperation {

    private final SimBlockFile handle;
    private final long newSize;
    private final Completion done;

    ResizeOperation(SimBlockFile handle, long newSize, Completion done) {
        super(DiskOp.RESIZE, handle.shard);
        this.handle = handle;
        this.newSize = newSize;
        this.done = done;
    }

    @Override
    String name() {
        return handle.file.name;
    }

    private boolean fits() {
        SimFile file = handle.file;
        return file.kind == Storage.Kind.IMAGE || handle.disk.fits(newSize - file.size);
    }

    @Override
    void perform(@Nullable IoFailure planned) {
        IoFailure failure = planned;
        if (failure == null && !fits()) {
            failure = new IoFailure(IoFailure.Kind.NO_SPACE, "no space to grow " + name());
        }
        if (failure == null) {
            handle.file.size = Math.max(handle.file.size, newSize);
            handle.resized(newSize);
        }
        done.completed(failure);
    }

    @Override
    void interrupted(Fate fate) {
        if (fits() && fate.happens(handle.disk.random)) {
            handle.file.size = Math.max(handle.file.size, newSize);
        }
    }
}
