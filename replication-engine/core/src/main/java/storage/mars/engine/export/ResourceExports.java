// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.export;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.FrameBuilder;
import storage.mars.engine.log.LogWriter;
import storage.mars.engine.log.ReplicaMetadata.VolumeShape;
import storage.mars.engine.port.Clock;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Shard;
import storage.mars.engine.volume.BlockReader;
import storage.mars.engine.volume.Images;
import storage.mars.engine.volume.VolumeIndex;

/**
 * All that clients have of one resource: its attachments, the way of its writes into the log
 * ({@link Admission}), its reads. Opened for writing on a primary, for reading on a secondary.
 * Owned by the shard of the resource.
 */
public final class ResourceExports {

    /** Attachments that a refusal names one by one. */
    private static final int NAMED = 5;

    /** A pause in admission longer than this may have outlived a client's patience. */
    private static final long SUSPICIOUS_NANOS = 500_000_000L;

    private final String resource;
    private final Shard shard;
    private final Clock clock;
    private final ExportRegistry registry;
    private final BlockReader reader;
    private final VolumeIndex index;
    private final BlockStatus status;
    private final List<ClientAttachment> attachments = new ArrayList<>();
    private final Latencies latencies = new Latencies();
    private final Traffic traffic = new Traffic();
    private List<VolumeTarget> targets = List.of();
    private @Nullable Admission admission;
    private @Nullable String closedBecause = "the resource has not started";
    private long stalledSince;
    private boolean stalled;

    public ResourceExports(
            String resource,
            Shard shard,
            Clock clock,
            ExportRegistry registry,
            BlockReader reader,
            VolumeIndex index,
            Images images) {
        this.resource = resource;
        this.shard = shard;
        this.clock = clock;
        this.registry = registry;
        this.reader = reader;
        this.index = index;
        this.status = new BlockStatus(index, images, reader, shard);
    }

    /** Publishes the volumes for writing; everything below {@code durable} is durable. */
    public void openWritable(
            List<VolumeShape> volumes,
            long incarnation,
            FrameBuilder builder,
            LogWriter writer,
            long durable) {
        admission = new Admission(index, builder, writer, reader, durable, clock, latencies);
        open(volumes, incarnation, false);
    }

    /**
     * Publishes the volumes for reading; again, when only the incarnation has changed: who is
     * attached stays, for nothing that was read here has gone back.
     */
    public void openReadOnly(List<VolumeShape> volumes, long incarnation) {
        admission = null;
        open(volumes, incarnation, true);
    }

    private void open(List<VolumeShape> volumes, long incarnation, boolean readOnly) {
        closedBecause = null;
        targets =
                volumes.stream()
                        .map(v ->
                                new VolumeTarget(
                                        this,
                                        v.id(),
                                        new ExportInfo(
                                                resource + "/" + v.name(),
                                                v.sizeBytes(),
                                                readOnly,
                                                incarnation),
                                        shard))
                        .toList();
        registry.put(targets);
    }

    /**
     * Takes the volumes back: clients are told why, their unanswered requests end without an
     * answer.
     */
    public void close(String reason) {
        shut(reason, Outcome.CLOSED);
    }

    /** The storage has failed for good: unanswered requests, and those that still come, fail. */
    public void fail(String reason) {
        Admission failing = admission;
        if (failing != null) {
            failing.shut(Outcome.FAILED);
        }
        closedBecause = reason;
        registry.remove(targets);
    }

    private void shut(String reason, Outcome outcome) {
        closedBecause = reason;
        registry.remove(targets);
        targets = List.of();
        Admission closing = admission;
        if (closing != null) {
            closing.shut(outcome);
        }
        List<ClientAttachment> ended = List.copyOf(attachments);
        attachments.clear();
        ended.forEach(attachment -> attachment.end(reason));
    }

    /** Writable attachments now: who would have to let go before a handover. */
    public List<String> writers() {
        return named(attachments.stream().filter(a -> !a.info().readOnly()));
    }

    /** All attachments now, readers too: who would have to let go before the volumes go. */
    public List<String> attached() {
        return named(attachments.stream());
    }

    /** Bounded, for it goes into refusals, which are short. */
    private static List<String> named(Stream<ClientAttachment> some) {
        List<ClientAttachment> all = some.toList();
        List<String> names = new ArrayList<>();
        for (ClientAttachment each : all.subList(0, Math.min(NAMED, all.size()))) {
            names.add(each.info().name() + " by " + each.client());
        }
        if (all.size() > NAMED) {
            names.add((all.size() - NAMED) + " more");
        }
        return names;
    }

    /** Whether clients can attach now. */
    public boolean isOpen() {
        return closedBecause == null;
    }

    public int attachmentCount(int volume) {
        return (int) attachments.stream().filter(a -> a.volume() == volume).count();
    }

    public int attachmentCount() {
        return attachments.size();
    }

    /**
     * Admits nothing until {@link #resume}; used for the short time in which a role is being given
     * away.
     */
    public void hold() {
        with(Admission::hold);
    }

    public void resume() {
        with(Admission::open);
    }

    Exports.Attached attach(VolumeTarget target, String client, AttachmentListener listener) {
        String closed = closedBecause;
        if (closed != null || !targets.contains(target)) {
            return new Exports.Attached.Refused(
                    resource
                            + " is not exported: "
                            + (closed == null ? "it has changed, try again" : closed));
        }
        checkAllAlive();
        ClientAttachment attachment =
                new ClientAttachment(this, target.info(), target.volume(), client, listener);
        attachments.add(attachment);
        return new Exports.Attached.Accepted(attachment);
    }

    private void checkAllAlive() {
        for (ClientAttachment attachment : List.copyOf(attachments)) {
            if (!attachment.isClosed()) {
                attachment.listener().checkAlive();
            }
        }
    }

    void detached(ClientAttachment attachment) {
        attachments.remove(attachment);
        with(a -> a.drop(attachment));
    }

    void accept(BlockRequest request, int volume) {
        request.submittedNanos = clock.nanoTime();
        switch (request.op) {
            case READ -> read(request, volume);
            case CACHE -> request.end(Outcome.OK);
            case BLOCK_STATUS -> status.answer(request, volume);
            case WRITE, TRIM, ZERO, FLUSH -> write(request);
        }
    }

    private void read(BlockRequest request, int volume) {
        ByteBuffer data = request.data;
        if (data == null || data.remaining() != request.length) {
            request.end(Outcome.INVALID);
            return;
        }
        reader.read(volume, request.offset, data, false, failure -> readDone(request, failure));
    }

    private void readDone(BlockRequest request, @Nullable IoFailure failure) {
        latencies.read.add(clock.nanoTime() - request.submittedNanos);
        request.end(failure == null ? Outcome.OK : Outcome.FAILED);
    }

    private void write(BlockRequest request) {
        Admission open = admission;
        if (open == null) {
            request.end(Outcome.OK);
            return;
        }
        open.submit(request);
        noteStall(open);
    }

    /** The log is durable below {@code position}. */
    public void durable(long position) {
        Admission open = admission;
        if (open != null) {
            open.durable(position);
            roomAppeared();
        }
    }

    /** Log window, prepared log or index may have room again. */
    public void roomAppeared() {
        Admission open = admission;
        if (open == null || !open.isStalled()) {
            return;
        }
        if (stalled && clock.nanoTime() - stalledSince > SUSPICIOUS_NANOS) {
            stalledSince = clock.nanoTime();
            checkAllAlive();
        }
        open.pump();
        noteStall(open);
    }

    private void noteStall(Admission open) {
        if (stalled != open.isStalled()) {
            stalled = open.isStalled();
            stalledSince = clock.nanoTime();
        }
    }

    /** Whether a write waits for room now. */
    public boolean isStalled() {
        return stalled;
    }

    public Latencies latencies() {
        return latencies;
    }

    public Traffic traffic() {
        return traffic;
    }

    private void with(Consumer<Admission> action) {
        Admission open = admission;
        if (open != null) {
            action.accept(open);
        }
    }
}
