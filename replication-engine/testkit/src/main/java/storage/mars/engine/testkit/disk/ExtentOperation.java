// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.disk;

import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.Callback;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Storage;

/** Asks where data ends or begins; now and then a hole is called data, as file systems may. */
final class ExtentOperation extends DiskOperation {

    private final SimBlockFile handle;
    private final long position;
    private final long limit;
    private final Callback<Long> done;

    ExtentOperation(SimBlockFile handle, long position, long limit, Callback<Long> done) {
        super(DiskOp.EXTENT, handle.shard);
        this.handle = handle;
        this.position = position;
        this.limit = limit;
        this.done = done;
    }

    @Override
    String name() {
        return handle.file.name;
    }

    @Override
    void perform(@Nullable IoFailure planned) {
        if (planned != null) {
            done.completed(null, planned);
            return;
        }
        SimFile file = handle.file;
        long data = file.nextData(position, limit);
        boolean hole = data > position && file.kind == Storage.Kind.IMAGE;
        if (!hole) {
            done.completed(file.nextHole(Math.max(position, data), limit), null);
        } else if (handle.disk.random.chance(1, 16)) {
            done.completed(data, null);
        } else {
            done.completed(-data, null);
        }
    }

    @Override
    void interrupted(Fate fate) {}
}
