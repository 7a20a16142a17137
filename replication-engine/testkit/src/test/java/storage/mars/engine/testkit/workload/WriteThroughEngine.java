// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.workload;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.export.Attachment;
import storage.mars.engine.export.AttachmentListener;
import storage.mars.engine.export.BlockRequest;
import storage.mars.engine.export.ExportInfo;
import storage.mars.engine.export.Exports;
import storage.mars.engine.export.Outcome;
import storage.mars.engine.port.BlockFile;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Ports;
import storage.mars.engine.port.Shard;
import storage.mars.engine.port.Storage;

/**
 * The simplest engine there is, one request after the other; with defects that oracles must find.
 */
final class WriteThroughEngine implements Exports.Target {

    enum Defect {
        NONE,
        ACKS_BEFORE_SYNC,
        ACKS_WITHOUT_WRITING,
        READS_STALE,
        FORGETS_ZEROS,
        SERVES_THE_DEAD
    }

    private static final long SIZE = 1 << 20;

    private final Ports ports;
    private final Defect defect;
    private final ArrayDeque<Held> queue = new ArrayDeque<>();
    private final List<Hold> holds = new ArrayList<>();
    private @Nullable BlockFile image;
    private @Nullable ByteBuffer stale;
    private boolean busy;

    private record Held(ClientRequest request, Hold hold) {}

    private WriteThroughEngine(Ports ports, Defect defect) {
        this.ports = ports;
        this.defect = defect;
    }

    static WriteThroughEngine boot(Ports ports, Defect defect) {
        WriteThroughEngine engine = new WriteThroughEngine(ports, defect);
        ports.storage().open("image", Storage.Kind.IMAGE, engine::opened);
        return engine;
    }

    private void opened(@Nullable BlockFile file, @Nullable IoFailure failure) {
        if (file == null) {
            ports.storage().create("image", Storage.Kind.IMAGE, SIZE, this::opened);
            return;
        }
        image = file;
        next();
    }

    boolean serves() {
        return image != null;
    }

    private final class Hold implements Attachment {
        private final AttachmentListener listener;

        Hold(AttachmentListener listener) {
            this.listener = listener;
        }

        @Override
        public ExportInfo info() {
            return WriteThroughEngine.this.info();
        }

        @Override
        public void submit(BlockRequest request) {
            queue.add(new Held((ClientRequest) request, this));
            next();
        }

        @Override
        public void refused() {}

        @Override
        public void close() {
            holds.remove(this);
            if (defect == Defect.SERVES_THE_DEAD) {
                queue.stream().filter(held -> held.hold.equals(this)).forEach(this::copy);
            }
            List<Held> mine = queue.stream().filter(held -> held.hold.equals(this)).toList();
            queue.removeAll(mine);
            mine.forEach(held -> held.request.completed(Outcome.CLOSED));
        }

        private void copy(Held held) {
            ByteBuffer data = held.request.data;
            if (held.request.op == BlockRequest.Op.WRITE && data != null && image != null) {
                ByteBuffer kept = ByteBuffer.allocate(data.remaining()).put(data.duplicate());
                image.write(held.request.offset, kept.flip(), failure -> {});
            }
        }
    }

    private void next() {
        BlockFile file = image;
        if (busy || file == null || queue.isEmpty()) {
            return;
        }
        busy = true;
        serve(file, queue.remove().request);
    }

    private void serve(BlockFile file, ClientRequest request) {
        ByteBuffer data = request.data;
        switch (request.op) {
            case READ -> read(file, request, data);
            case WRITE -> {
                if (defect == Defect.ACKS_WITHOUT_WRITING && request.offset % 3 == 0) {
                    end(request);
                } else if (data != null) {
                    file.write(request.offset, data, failure -> synced(file, request));
                }
            }
            case TRIM, ZERO -> {
                if (defect == Defect.FORGETS_ZEROS) {
                    end(request);
                } else {
                    file.zero(request.offset, request.length, f -> synced(file, request));
                }
            }
            case BLOCK_STATUS -> {
                if (request.extents != null) {
                    request.extents.add(request.length, false);
                }
                end(request);
            }
            case FLUSH, CACHE -> end(request);
        }
    }

    private void read(BlockFile file, ClientRequest request, @Nullable ByteBuffer data) {
        if (data == null) {
            return;
        }
        if (defect == Defect.READS_STALE && stale != null && request.offset == 0) {
            while (data.hasRemaining()) {
                data.put(stale.get(data.position() % stale.capacity()));
            }
            end(request);
            return;
        }
        file.read(
                request.offset,
                data,
                failure -> {
                    if (request.offset == 0 && request.length == 4096) {
                        stale = ByteBuffer.allocate(4096).put(data.duplicate().flip()).flip();
                    }
                    end(request);
                });
    }

    private void synced(BlockFile file, ClientRequest request) {
        if (defect == Defect.ACKS_BEFORE_SYNC) {
            end(request);
        } else {
            file.sync(failure -> end(request));
        }
    }

    private void end(ClientRequest request) {
        busy = false;
        request.completed(Outcome.OK);
        next();
    }

    @Override
    public Shard shard() {
        return ports.shard();
    }

    @Override
    public ExportInfo info() {
        return new ExportInfo("r/v", SIZE, false, 1);
    }

    @Override
    public String description() {
        return "write-through";
    }

    @Override
    public Exports.Attached attach(String client, AttachmentListener listener) {
        List.copyOf(holds).forEach(hold -> hold.listener.checkAlive());
        Hold hold = new Hold(listener);
        holds.add(hold);
        return new Exports.Attached.Accepted(hold);
    }
}
