// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.export.Attachment;
import storage.mars.engine.export.AttachmentListener;
import storage.mars.engine.export.BlockRequest;
import storage.mars.engine.export.Exports;
import storage.mars.engine.export.Outcome;
import storage.mars.engine.testkit.oracle.Content;
import storage.mars.engine.testkit.schedule.SimFailure;

/** Reads a whole volume through its export, as a client would. One use. */
final class VolumeReader implements AttachmentListener {

    private static final int PIECE = 128 << 10;
    private static final long PATIENCE_NANOS = 60_000_000_000L;

    private final SimEngine engine;
    private final byte[] bytes;
    private @Nullable Attachment attachment;
    private int next;
    private int open;
    private @Nullable String failure;

    private VolumeReader(SimEngine engine, long size) {
        this.engine = engine;
        bytes = new byte[(int) size];
    }

    /** What clients of that engine read now, of volume 0. */
    static Content read(SimEngine engine, long size) {
        VolumeReader reader = new VolumeReader(engine, size);
        reader.run();
        byte[] read = reader.bytes;
        return (volume, offset, length) -> {
            byte[] part = new byte[length];
            System.arraycopy(read, (int) offset, part, 0, length);
            return part;
        };
    }

    private void run() {
        Exports.Target target = engine.target();
        if (target == null) {
            throw new SimFailure(engine.machine().name() + " exports nothing: " + engine.status());
        }
        target.shard().execute(() -> attach(target));
        engine.machine()
                .world()
                .runUntil(
                        "volume is read from " + engine.machine().name(),
                        () -> failure != null || (next == bytes.length && open == 0),
                        PATIENCE_NANOS);
        if (failure != null) {
            throw new SimFailure("volume cannot be read: " + failure);
        }
    }

    private void attach(Exports.Target target) {
        switch (target.attach("reader", this)) {
            case Exports.Attached.Accepted(Attachment accepted) -> {
                attachment = accepted;
                for (int i = 0; i < 4; i++) {
                    readNext();
                }
            }
            case Exports.Attached.Refused(String reason) -> failure = reason;
        }
    }

    private void readNext() {
        Attachment present = attachment;
        if (present == null || next == bytes.length) {
            if (present != null && open == 0) {
                attachment = null;
                present.close();
            }
            return;
        }
        int length = Math.min(PIECE, bytes.length - next);
        Piece piece = new Piece(next, length);
        next += length;
        open++;
        present.submit(piece);
    }

    private final class Piece extends BlockRequest {

        private final ByteBuffer room;

        Piece(int from, int count) {
            room = ByteBuffer.allocateDirect(count);
            op = Op.READ;
            offset = from;
            length = count;
            data = room;
        }

        @Override
        protected void completed(Outcome outcome) {
            open--;
            if (outcome != Outcome.OK) {
                failure = "read ended with " + outcome;
                return;
            }
            room.get(0, bytes, (int) offset, (int) length);
            readNext();
        }
    }

    @Override
    public void checkAlive() {}

    @Override
    public void exportClosing(String reason) {
        Attachment present = attachment;
        attachment = null;
        failure = reason;
        if (present != null) {
            present.close();
        }
    }
}
