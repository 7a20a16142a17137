// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import java.nio.ByteBuffer;
import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.CheckpointSegment.Seen;
import storage.mars.engine.log.LogBatchReader.Batch;

/**
 * Finds the end of a log after a start, in either role: scans from the checkpoint, shows every good
 * frame, decides whether the first bad one is the torn tail or damage, and syncs what it read
 * before anybody is told. After a planned stop the end is known, and nothing is read when the
 * images have all of it. One use. The table of its decisions is docs/recovery.md. Owned by the
 * shard.
 */
public final class LogRecovery {

    /**
     * How much without a single good frame ends the search for witnesses: more than one write of
     * the log writer, so that no damage of that size hides the frames behind it.
     */
    private static final long LOOK_BEHIND = 16 << 20;

    private final SegmentStore segments;
    private final SegmentLayout layout;
    private final ReplicaMetadata metadata;
    private final AlignedBuffers buffers;
    private final FrameVerifier verifier;
    private final LogBatchReader reader;
    private final FrameVisitor visitor;
    private final Consumer<Found> done;
    private final Chain chain = new Chain();
    private final FrameView view = new FrameView();
    private long position;
    private long lastGood;

    /** What recovery found. */
    public sealed interface Found {

        /**
         * The log ends at {@code end}; everything below is durable and was shown. It holds nothing
         * before {@code logStart}.
         */
        record Sound(long end, Chain.Link link, long logStart) implements Found {}

        /** Something that had been durable is damaged at {@code position}; nothing was changed. */
        record Corrupt(long position, String reason) implements Found {}

        /** The storage failed; nothing is known about the log. */
        record Unreadable(String reason) implements Found {}
    }

    public LogRecovery(
            SegmentStore segments,
            ReplicaMetadata metadata,
            AlignedBuffers buffers,
            FrameVisitor visitor,
            Consumer<Found> done) {
        this.segments = segments;
        this.layout = segments.layout();
        this.metadata = metadata;
        this.buffers = buffers;
        this.verifier = new FrameVerifier(metadata.identity().resourceId(), layout);
        this.reader = new LogBatchReader(segments, verifier);
        this.visitor = visitor;
        this.done = done;
    }

    public void start() {
        position = metadata.checkpoint().position();
        chain.set(metadata.checkpoint().link());
        segments.beginsAt(metadata.logStart());
        segments.readyFrom(position);
        CheckpointSegment first = new CheckpointSegment(segments, verifier, metadata);
        buffers.acquire(buffer -> first.look(buffer, seen -> looked(first, seen, buffer)));
    }

    private void looked(CheckpointSegment first, Seen seen, ByteBuffer buffer) {
        boolean needed = !metadata.rested() || position < metadata.durableKnown();
        switch (seen) {
            case Seen.Unreadable unreadable ->
                    finish(buffer, new Found.Unreadable(unreadable.reason()));
            case Seen.Damaged damaged when needed ->
                    finish(buffer, new Found.Corrupt(first.start(), damaged.reason()));
            case Seen.Damaged damaged -> {
                segments.beginsAt(position);
                finish(buffer, new Found.Sound(position, chain.link(), position));
            }
            case Seen.Whole whole -> {
                if (needed) {
                    scan(buffer);
                } else {
                    finish(buffer, sound());
                }
            }
        }
    }

    private Found sound() {
        return new Found.Sound(position, chain.link(), metadata.logStart());
    }

    private void scan(ByteBuffer buffer) {
        if (metadata.rested() && position == metadata.durableKnown()) {
            syncScanned(buffer);
        } else if (position >= segments.readyEnd()) {
            ended(buffer, "the segments end here");
        } else {
            reader.read(position, limit(), metadata.history(), chain, buffer, this::scanned);
        }
    }

    private long limit() {
        long files = segments.readyEnd();
        return metadata.rested() ? Math.min(files, metadata.durableKnown()) : files;
    }

    private void scanned(Batch batch) {
        if (batch.ioFailed()) {
            finish(
                    batch.bytes(),
                    new Found.Unreadable("log at position " + batch.from() + ": " + batch.fault()));
            return;
        }
        reader.visit(batch, visitor);
        position = batch.to();
        String fault = batch.fault();
        if (fault == null) {
            scan(batch.bytes());
            return;
        }
        String foreign = foreign(batch);
        if (foreign == null) {
            ended(batch.bytes(), fault);
        } else {
            finish(
                    batch.bytes(),
                    new Found.Corrupt(position, foreign + ", but it was written whole"));
        }
    }

    private @Nullable String foreign(Batch batch) {
        int at = (int) (batch.to() - batch.from());
        boolean read = at + LogFormat.BLOCK <= batch.bytes().limit();
        return read ? verifier.foreignFault(batch.bytes(), at, position, metadata.history()) : null;
    }

    /** No good frame at {@link #position}: damage if anything proves that there was one. */
    private void ended(ByteBuffer buffer, String fault) {
        String proof = proofFromMetadata();
        if (proof != null) {
            finish(buffer, new Found.Corrupt(position, fault + ", but " + proof));
        } else {
            lastGood = position;
            lookBehind(buffer, position + LogFormat.BLOCK, fault);
        }
    }

    private @Nullable String proofFromMetadata() {
        // The history proves nothing more: a writer raises durableKnown with each epoch that it
        // starts, and who
        // follows has the epochs in its history before their first byte is in its log.
        return position < metadata.durableKnown()
                ? "the log was durable up to " + metadata.durableKnown()
                : null;
    }

    /**
     * Looks for a frame of our own behind the bad one that says that the log was durable past it.
     */
    private void lookBehind(ByteBuffer buffer, long from, String fault) {
        Segment segment = segments.holding(from);
        if (segment == null || from > lastGood + LOOK_BEHIND) {
            syncScanned(buffer);
            return;
        }
        int length = Math.min(buffer.capacity(), layout.room(from));
        segment.pin();
        segment.file.read(
                layout.offset(from),
                buffer.clear().limit(length),
                failure -> {
                    segments.unpin(segment);
                    if (failure != null) {
                        finish(
                                buffer,
                                new Found.Unreadable(
                                        "log behind position " + position + ": " + failure));
                        return;
                    }
                    long witness = witness(buffer.clear().limit(length), from);
                    if (witness >= 0) {
                        String proof = "the frame at " + witness + " says that it was durable";
                        finish(buffer, new Found.Corrupt(position, fault + ", but " + proof));
                    } else {
                        lookBehind(buffer, from + length, fault);
                    }
                });
    }

    /**
     * How long the log writer was held up decides how far behind the bad frame the first witness
     * is.
     */
    private long witness(ByteBuffer buffer, long from) {
        for (int offset = 0; offset < buffer.limit(); offset += LogFormat.BLOCK) {
            long at = from + offset;
            Epoch epoch = epochOfFrame(buffer, offset, at);
            if (epoch == null) {
                continue;
            }
            lastGood = at;
            if (view.durableAtSeal() > position
                    && epoch.writer() == metadata.identity().replicaId()) {
                return at;
            }
        }
        return -1;
    }

    private @Nullable Epoch epochOfFrame(ByteBuffer buffer, int offset, long at) {
        boolean whole =
                view.wrap(buffer, offset).hasMagic() && verifier.descriptorFault(view, at) == null;
        Epoch epoch = whole ? metadata.history().at(at) : null;
        return epoch != null && epoch.id().id() == view.epochId() ? epoch : null;
    }

    /** What was only in a cache when it was scanned is durable before anybody relies on it. */
    private void syncScanned(ByteBuffer buffer) {
        long firstSegment = layout.start(metadata.checkpoint().position());
        List<Long> scanned =
                segments.starts().stream()
                        .filter(start -> start >= firstSegment && start <= position)
                        .toList();
        syncNext(buffer, scanned.iterator());
    }

    private void syncNext(ByteBuffer buffer, Iterator<Long> starts) {
        if (!starts.hasNext()) {
            finish(buffer, sound());
            return;
        }
        Segment segment = segments.holding(starts.next());
        if (segment == null) {
            syncNext(buffer, starts);
            return;
        }
        segment.file.sync(failure -> {
            if (failure != null) {
                finish(buffer, new Found.Unreadable("log cannot be synced: " + failure));
            } else {
                syncNext(buffer, starts);
            }
        });
    }

    private void finish(ByteBuffer buffer, Found found) {
        buffers.release(buffer);
        done.accept(found);
    }
}
