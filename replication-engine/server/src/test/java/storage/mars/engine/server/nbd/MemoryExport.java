// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import static java.util.Objects.requireNonNull;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import storage.mars.engine.export.Attachment;
import storage.mars.engine.export.AttachmentListener;
import storage.mars.engine.export.BlockRequest;
import storage.mars.engine.export.ExportInfo;
import storage.mars.engine.export.Exports;
import storage.mars.engine.export.Outcome;
import storage.mars.engine.port.Shard;

/**
 * An export on a {@link MemoryDisk} that can stall (nothing is admitted), hold answers (admitted,
 * not acknowledged), refuse and close. State lives on the shard; the methods for tests hop there
 * and wait.
 */
final class MemoryExport implements Exports.Target {

    enum Mode {
        RUNNING,
        STALLED,
        HOLDING
    }

    final AtomicInteger attachedNow = new AtomicInteger();
    final AtomicInteger attachedEver = new AtomicInteger();
    final AtomicInteger submitted = new AtomicInteger();

    private final Shard shard;
    private final ExportInfo info;
    private final MemoryDisk disk = new MemoryDisk();
    private final List<Hold> holds = new ArrayList<>();
    private final ArrayDeque<Pending> unadmitted = new ArrayDeque<>();
    private final ArrayDeque<RequestSlot> unanswered = new ArrayDeque<>();
    private Mode mode = Mode.RUNNING;
    private Outcome outcome = Outcome.OK;
    private volatile String refusal = "";

    MemoryExport(Shard shard, ExportInfo info) {
        this.shard = shard;
        this.info = info;
    }

    void mode(Mode next) {
        onShard(() -> {
            mode = next;
            if (next != Mode.STALLED) {
                List.copyOf(holds).forEach(hold -> hold.listener.checkAlive());
                while (!unadmitted.isEmpty()) {
                    admit(unadmitted.removeFirst().request());
                }
            }
            if (next == Mode.RUNNING) {
                while (!unanswered.isEmpty()) {
                    unanswered.removeFirst().completed(outcome);
                }
            }
            return null;
        });
    }

    /** How every request ends from now on. */
    void outcome(Outcome next) {
        onShard(() -> outcome = next);
    }

    void refuse(String reason) {
        refusal = reason;
    }

    void close(String reason) {
        onShard(() -> {
            List.copyOf(holds).forEach(hold -> hold.listener.exportClosing(reason));
            return null;
        });
    }

    int unadmitted() {
        return onShard(unadmitted::size);
    }

    byte[] bytes(long offset, int length) {
        return onShard(() -> {
            byte[] bytes = new byte[length];
            disk.read(offset, java.nio.ByteBuffer.wrap(bytes));
            return bytes;
        });
    }

    long threadId() {
        return onShard(() -> Thread.currentThread().threadId());
    }

    private <T> T onShard(Supplier<T> task) {
        CompletableFuture<T> done = new CompletableFuture<>();
        shard.execute(() -> {
            try {
                done.complete(task.get());
            } catch (Throwable failure) {
                done.completeExceptionally(failure);
            }
        });
        return done.join();
    }

    @Override
    public Shard shard() {
        return shard;
    }

    @Override
    public ExportInfo info() {
        return info;
    }

    @Override
    public String description() {
        return "in memory";
    }

    @Override
    public Exports.Attached attach(String client, AttachmentListener listener) {
        if (!shard.isCurrent()) {
            throw new IllegalStateException("attached off the shard");
        }
        List.copyOf(holds).forEach(hold -> hold.listener.checkAlive());
        if (!refusal.isEmpty()) {
            return new Exports.Attached.Refused(refusal);
        }
        Hold hold = new Hold(listener);
        holds.add(hold);
        attachedNow.incrementAndGet();
        attachedEver.incrementAndGet();
        return new Exports.Attached.Accepted(hold);
    }

    private void admit(BlockRequest request) {
        Outcome end = outcome == Outcome.OK ? perform(request) : outcome;
        RequestSlot slot = (RequestSlot) request;
        slot.payloadTaken();
        if (mode == Mode.HOLDING) {
            unanswered.addLast(slot);
        } else {
            slot.completed(end);
        }
    }

    private Outcome perform(BlockRequest request) {
        switch (request.op) {
            case WRITE -> disk.write(request.offset, requireNonNull(request.data));
            case READ -> disk.read(request.offset, requireNonNull(request.data));
            case TRIM, ZERO -> disk.zero(request.offset, request.length);
            case BLOCK_STATUS ->
                    disk.extents(request.offset, request.length, requireNonNull(request.extents));
            case FLUSH, CACHE -> {}
        }
        return Outcome.OK;
    }

    private record Pending(Hold hold, BlockRequest request) {}

    private final class Hold implements Attachment {

        private final AttachmentListener listener;
        private boolean closed;

        Hold(AttachmentListener listener) {
            this.listener = listener;
        }

        @Override
        public ExportInfo info() {
            return info;
        }

        @Override
        public void submit(BlockRequest request) {
            if (closed || !shard.isCurrent()) {
                throw new IllegalStateException("closed, or off the shard");
            }
            submitted.incrementAndGet();
            if (mode == Mode.STALLED) {
                unadmitted.addLast(new Pending(this, request));
            } else {
                admit(request);
            }
        }

        @Override
        public void refused() {}

        @Override
        public void close() {
            if (closed) {
                return;
            }
            closed = true;
            holds.remove(this);
            attachedNow.decrementAndGet();
            for (Pending pending : List.copyOf(unadmitted)) {
                if (pending.hold() == this) {
                    unadmitted.remove(pending);
                    ((RequestSlot) pending.request()).completed(Outcome.CLOSED);
                }
            }
        }
    }
}
