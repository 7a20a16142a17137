// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.disk;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.IoFailure;

/** A write, durable or not; some of its sectors may be there long before it completes. */
final class WriteOperation extends DiskOperation {

    private final SimBlockFile handle;
    private final long position;
    private final ByteBuffer[] buffers;
    private final int[] starts;
    private final int[] lengths;
    private final long checksum;
    private final @Nullable Capture capture;
    private final Completion done;

    WriteOperation(
            SimBlockFile handle,
            long position,
            ByteBuffer[] from,
            int count,
            boolean durable,
            Completion done) {
        super(durable ? DiskOp.SYNC : DiskOp.WRITE, handle.shard);
        this.handle = handle;
        this.position = position;
        this.done = done;
        buffers = Arrays.copyOf(from, count);
        starts = new int[count];
        lengths = new int[count];
        for (int i = 0; i < count; i++) {
            starts[i] = from[i].position();
            lengths[i] = from[i].remaining();
        }
        checksum = checksum();
        capture = durable ? handle.file.capture() : null;
        if (handle.disk.random.chance(1, 4) && obstacle() == null) {
            apply(Fate.HALF);
        }
    }

    private long checksum() {
        CRC32C crc = new CRC32C();
        for (int i = 0; i < buffers.length; i++) {
            crc.update(buffers[i].duplicate().clear().position(starts[i]).limit(end(i)));
        }
        return crc.getValue();
    }

    private int end(int i) {
        return starts[i] + lengths[i];
    }

    private int length() {
        int length = 0;
        for (int part : lengths) {
            length += part;
        }
        return length;
    }

    private @Nullable IoFailure obstacle() {
        return handle.obstacle(position, length(), true);
    }

    private void apply(Fate fate) {
        long at = position;
        for (int i = 0; i < buffers.length; i++) {
            ByteBuffer bytes = buffers[i].duplicate().clear();
            handle.file.write(at, bytes, starts[i], lengths[i], fate);
            at += lengths[i];
        }
    }

    @Override
    String name() {
        return handle.file.name;
    }

    @Override
    void perform(@Nullable IoFailure planned) {
        if (checksum != checksum()) {
            throw handle.disk.broken("buffer changed while being written to " + name());
        }
        IoFailure failure = planned == null ? obstacle() : planned;
        if (failure == null) {
            apply(Fate.EVERYTHING);
            if (capture != null) {
                handle.file.complete(capture);
                handle.file.prove(position, length());
            }
        } else {
            fail();
        }
        done.completed(failure);
    }

    private void fail() {
        if (obstacle() == null) {
            apply(Fate.HALF);
        }
        if (capture != null) {
            handle.file.fail(capture);
            handle.file.fail(handle.file.capture());
        }
    }

    @Override
    void interrupted(Fate fate) {
        if (obstacle() != null) {
            return;
        }
        apply(fate);
        if (capture != null && fate == Fate.EVERYTHING) {
            handle.file.complete(capture);
            handle.file.prove(position, length());
        }
    }
}
