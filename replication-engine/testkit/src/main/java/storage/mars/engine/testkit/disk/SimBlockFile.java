// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.disk;

import java.nio.ByteBuffer;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.BlockFile;
import storage.mars.engine.port.Callback;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Storage;
import storage.mars.engine.testkit.schedule.SimShard;

/**
 * An open file; checks each call against the contract and turns it into a {@link DiskOperation}.
 */
final class SimBlockFile implements BlockFile {

    final SimDisk disk;
    final SimShard shard;
    final SimFile file;
    private final Storage.Kind kind;
    private long size;
    private boolean closed;

    SimBlockFile(SimDisk disk, SimShard shard, SimFile file, Storage.Kind kind) {
        this.disk = disk;
        this.shard = shard;
        this.file = file;
        this.kind = kind;
        size = file.size;
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public void read(long position, ByteBuffer into, Completion done) {
        check(position, into.remaining());
        checkAligned(position, into);
        ReadOperation read = new ReadOperation(this, position, into, null, done);
        disk.submit(read, into.remaining(), position);
    }

    @Override
    public void readDevice(long position, ByteBuffer into, BitSet unlike, Completion done) {
        check(position, into.remaining());
        requireAligned(position, into);
        ReadOperation read = new ReadOperation(this, position, into, unlike, done);
        disk.submit(read, into.remaining(), position);
    }

    @Override
    public void write(long position, ByteBuffer from, Completion done) {
        check(position, from.remaining());
        checkAligned(position, from);
        disk.writing(file, position, from);
        WriteOperation write =
                new WriteOperation(this, position, new ByteBuffer[] {from}, 1, false, done);
        disk.submit(write, from.remaining(), position);
    }

    @Override
    public void writeDurably(long position, ByteBuffer[] from, int count, Completion done) {
        long length = 0;
        for (int i = 0; i < count; i++) {
            checkAligned(position + length, from[i]);
            disk.writing(file, position + length, from[i]);
            length += from[i].remaining();
        }
        check(position, length);
        WriteOperation write = new WriteOperation(this, position, from, count, true, done);
        disk.submit(write, length, position);
    }

    @Override
    public void zero(long position, long length, Completion done) {
        check(position, length);
        if (kind == Storage.Kind.LOG && (position % Page.BYTES != 0 || length % Page.BYTES != 0)) {
            throw disk.broken("misaligned zero of " + file.name + " at " + position);
        }
        disk.submit(new ZeroOperation(this, position, length, done), 0, position);
    }

    @Override
    public void sync(Completion done) {
        check(0, 0);
        disk.submit(new SyncOperation(this, done), 0, 0);
    }

    @Override
    public void resize(long newSize, Completion done) {
        check(0, 0);
        if (newSize < size) {
            throw disk.broken("resize of " + file.name + " to less: " + newSize);
        }
        disk.submit(new ResizeOperation(this, newSize, done), 0, newSize);
    }

    void resized(long newSize) {
        size = newSize;
    }

    @Override
    public void nextExtent(long position, long limit, Callback<Long> done) {
        check(position, limit - position);
        if (position >= limit) {
            throw disk.broken("empty extent of " + file.name + " at " + position);
        }
        disk.submit(new ExtentOperation(this, position, limit, done), 0, position);
    }

    @Override
    public void close() {
        check(0, 0);
        closed = true;
    }

    private void check(long position, long length) {
        if (!shard.isCurrent()) {
            throw disk.broken(file.name + " used off its shard");
        }
        if (closed) {
            throw disk.broken(file.name + " used after close");
        }
        if (position < 0 || length < 0 || position + length > size) {
            throw disk.broken(file.name + " has no " + length + " bytes at " + position);
        }
    }

    private void checkAligned(long position, ByteBuffer buffer) {
        if (kind == Storage.Kind.LOG) {
            requireAligned(position, buffer);
        }
    }

    private void requireAligned(long position, ByteBuffer buffer) {
        if (position % Page.BYTES != 0 || buffer.remaining() % Page.BYTES != 0) {
            throw disk.broken(
                    "misaligned access of "
                            + file.name
                            + ": "
                            + buffer.remaining()
                            + " bytes at "
                            + position);
        }
        if (!buffer.isDirect() || buffer.alignmentOffset(buffer.position(), Page.BYTES) != 0) {
            throw disk.broken("buffer not aligned to 4096 for " + file.name);
        }
    }

    /**
     * What fails although no fault was planned: the file has become shorter, or the disk is full.
     */
    @Nullable IoFailure obstacle(long position, long length, boolean allocates) {
        if (position + length > file.size) {
            return new IoFailure(IoFailure.Kind.IO_ERROR, file.name + " ends before " + position);
        }
        if (allocates && !disk.fits(file.missingBytes(position, length))) {
            return new IoFailure(IoFailure.Kind.NO_SPACE, "no space in " + file.name);
        }
        return null;
    }
}
