// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.disk;

import java.nio.ByteBuffer;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.IoFailure;

/** A read: some of its pages are taken as they are at the call, the others as at the completion. */
final class ReadOperation extends DiskOperation {

    private final SimBlockFile handle;
    private final long position;
    private final ByteBuffer into;
    private final int start;
    private final int length;
    private final long early;
    private final @Nullable BitSet unlike;
    private final Completion done;

    /** With {@code unlike}: from the device, compared with what the cache says in the end. */
    ReadOperation(
            SimBlockFile handle,
            long position,
            ByteBuffer into,
            @Nullable BitSet unlike,
            Completion done) {
        super(DiskOp.READ, handle.shard);
        this.handle = handle;
        this.position = position;
        this.into = into;
        this.unlike = unlike;
        this.done = done;
        start = into.position();
        length = into.remaining();
        early = handle.disk.random.nextLong();
        take(true);
    }

    private void take(boolean now) {
        int at = 0;
        for (int page = 0; at < length; page++) {
            int part = Page.BYTES - (int) ((position + at) % Page.BYTES);
            part = Math.min(part, length - at);
            if ((((early >>> page) & 1) != 0) == now && position + at + part <= handle.file.size) {
                handle.file.read(view(), position + at, into, start + at, part);
            }
            at += part;
        }
    }

    private View view() {
        return unlike == null ? View.CURRENT : View.DEVICE;
    }

    private void compare(BitSet different) {
        byte[] page = new byte[Page.BYTES];
        for (int at = 0; at < length; at += Page.BYTES) {
            handle.file.read(View.CURRENT, position + at, ByteBuffer.wrap(page), 0, page.length);
            if (!into.slice(start + at, page.length).equals(ByteBuffer.wrap(page))) {
                different.set(at / Page.BYTES);
            }
        }
    }

    @Override
    String name() {
        return handle.file.name;
    }

    @Override
    void perform(@Nullable IoFailure planned) {
        IoFailure failure = planned == null ? handle.obstacle(position, length, false) : planned;
        if (failure == null) {
            take(false);
            if (unlike != null) {
                compare(unlike);
            }
            into.position(start + length);
        }
        done.completed(failure);
    }

    @Override
    void interrupted(Fate fate) {}
}
