// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.Chain;
import storage.mars.engine.log.LinkReader;
import storage.mars.engine.log.LogTail;
import storage.mars.engine.log.MetadataStore;
import storage.mars.engine.log.ReplicaMetadata.Checkpoint;
import storage.mars.engine.log.SegmentStore;
import storage.mars.engine.port.IoFailure;

/**
 * Moves the checkpoint: samples the applied position, syncs the images, records it, then lets
 * segments go. When a sync of the images fails, nothing since the last checkpoint counts as
 * applied: all of it goes back into the index before anything is read or the next checkpoint is
 * tried. Table: docs/recovery.md. Owned by the shard.
 */
public final class Checkpointer {

    /** More zero ranges are not entered again after a crash: a log of nothing else is dense. */
    private static final long MAX_ZEROS = 1 << 18;

    private final LogTail tail;
    private final SegmentStore segments;
    private final MetadataStore metadata;
    private final LinkReader links;
    private final Images images;
    private final IndexFeed feed;
    private final WriteBack writeBack;
    private final BlockReader reader;
    private final LongSupplier retained;
    private final Listener listener;
    private State state = State.IDLE;
    private long zerosRecorded;
    private boolean recording;
    private @Nullable String trouble;

    /** Steps of one checkpoint, and of making up for a failed one. */
    public enum State {
        IDLE,
        FINDING_LINK,
        SYNCING,
        RECORDING,
        /**
         * A sync of the images has failed; reads wait, and this waits for the running write-back
         * round and the recording of a checkpoint to end.
         */
        DRAINING,
        /** Enters the log since the last checkpoint into the index once more. */
        REFEEDING,
        /**
         * As REFEEDING, or after a start, but the index is full: a write-back round makes room, in
         * which nothing is entered. Reads wait.
         */
        MAKING_ROOM,
        STOPPED
    }

    /**
     * What a checkpoint will say, taken before its sync. It counts only while no further sync of
     * the images fails: a later one that succeeds proves nothing about what that one has lost.
     */
    private record Sample(long applied, long zeros, int failedSyncs) {}

    /** Who is told; called on the shard. */
    public interface Listener {

        /** A checkpoint was recorded. */
        void checkpointed();

        /** The metadata cannot be written: nothing can be promised any more. */
        void metadataFailed(IoFailure failure);
    }

    /** {@code retained} yields the position from which on members still need the log. */
    public Checkpointer(
            LogTail tail,
            SegmentStore segments,
            MetadataStore metadata,
            LinkReader links,
            Images images,
            IndexFeed feed,
            WriteBack writeBack,
            BlockReader reader,
            LongSupplier retained,
            Listener listener) {
        this.tail = tail;
        this.segments = segments;
        this.metadata = metadata;
        this.links = links;
        this.images = images;
        this.feed = feed;
        this.writeBack = writeBack;
        this.reader = reader;
        this.retained = retained;
        this.listener = listener;
        images.onFailedSync(this::syncFailed);
        if (feed.isBehind()) {
            state = State.MAKING_ROOM;
            reader.hold();
        }
    }

    public State state() {
        return state;
    }

    /** Why the last checkpoint failed, in words for the operator; null when it did not. */
    public @Nullable String trouble() {
        return trouble;
    }

    public long position() {
        return metadata.current().checkpoint().position();
    }

    /** Whether what would be entered again after a crash is {@code bytes} of log, or very much. */
    public boolean isFar(long bytes) {
        return feed.applied() - position() >= bytes
                || feed.zerosEntered() - zerosRecorded >= MAX_ZEROS;
    }

    /** Starts a checkpoint when there is something to record and none is under way. */
    public void start() {
        long applied = feed.applied();
        if (state != State.IDLE || applied <= position()) {
            releaseSegments();
            return;
        }
        state = State.FINDING_LINK;
        Sample sample = new Sample(applied, feed.zerosEntered(), images.failedSyncs());
        links.read(
                applied,
                (link, failure) -> {
                    if (!isAt(State.FINDING_LINK, sample)) {
                        return;
                    }
                    if (link == null) {
                        trouble = String.valueOf(failure);
                        state = State.IDLE;
                    } else {
                        sync(sample, link);
                    }
                });
    }

    /** Whether {@code step} is that of the checkpoint of this sample, and not of a later one. */
    private boolean isAt(State step, Sample sample) {
        return state == step && sample.failedSyncs == images.failedSyncs();
    }

    private void sync(Sample sample, Chain.Link link) {
        state = State.SYNCING;
        images.sync(failure -> {
            if (failure == null && isAt(State.SYNCING, sample)) {
                record(sample, link);
            }
        });
    }

    /** A sync of the images has failed, whoever asked for it. */
    private void syncFailed(IoFailure failure) {
        if (state == State.STOPPED || state == State.DRAINING) {
            return;
        }
        trouble = "images cannot be synced: " + failure;
        state = State.DRAINING;
        reader.hold();
        writeBack.stop();
        drained();
    }

    private void record(Sample sample, Chain.Link link) {
        state = State.RECORDING;
        recording = true;
        long durable = tail.durable();
        metadata.update(
                draft -> {
                    draft.checkpoint = new Checkpoint(sample.applied, link);
                    draft.durableKnown = Math.max(draft.durableKnown, durable);
                },
                failure -> {
                    recording = false;
                    if (failure != null) {
                        listener.metadataFailed(failure);
                    } else {
                        recorded(sample);
                    }
                });
    }

    private void recorded(Sample sample) {
        if (state == State.RECORDING) {
            trouble = null;
            state = State.IDLE;
        }
        zerosRecorded = sample.zeros;
        releaseSegments();
        drained();
        listener.checkpointed();
    }

    /** A write-back round has ended, or none was running. */
    public void drained() {
        switch (state) {
            case DRAINING -> {
                if (!recording && !writeBack.isRunning()) {
                    state = State.REFEEDING;
                    feed.restart(position());
                    refed();
                }
            }
            case MAKING_ROOM -> {
                state = State.REFEEDING;
                writeBack.stop();
                feed.proceed();
                refed();
            }
            case IDLE, FINDING_LINK, SYNCING, RECORDING -> feed.advance();
            case REFEEDING, STOPPED -> {}
        }
    }

    /** The index knows more, perhaps all, of what the images may lack. */
    public void refed() {
        boolean feeding = state == State.REFEEDING || state == State.MAKING_ROOM;
        if (feeding && feed.isCaughtUp()) {
            state = State.IDLE;
            reader.resume();
            writeBack.restart();
        } else if (state == State.REFEEDING && feed.awaitsRoom()) {
            state = State.MAKING_ROOM;
            writeBack.restart();
        }
    }

    /** Lets go of segments that neither this replica nor a member needs. */
    public void releaseSegments() {
        segments.release(Math.min(position(), retained.getAsLong()));
    }

    /** No checkpoint any more, and no reads where they wait for the index. */
    public void stop() {
        boolean held =
                state == State.DRAINING || state == State.REFEEDING || state == State.MAKING_ROOM;
        state = State.STOPPED;
        if (held) {
            reader.fail(new IoFailure(IoFailure.Kind.IO_ERROR, "images cannot be synced"));
        }
    }
}
