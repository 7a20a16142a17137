// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replication;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.AlignedBuffers;
import storage.mars.engine.log.Blocks;
import storage.mars.engine.log.FrameView;
import storage.mars.engine.log.Invariant;
import storage.mars.engine.log.LogFormat;
import storage.mars.engine.log.LogTail;
import storage.mars.engine.log.MetadataStore;
import storage.mars.engine.log.RecordType;
import storage.mars.engine.log.ReplicaMetadata.SyncState;
import storage.mars.engine.log.ReplicaMetadata.VolumeShape;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Offload;
import storage.mars.engine.port.PeerLink;
import storage.mars.engine.replication.PeerMessage.BlockData;
import storage.mars.engine.replication.PeerMessage.ReadBlocks;
import storage.mars.engine.volume.ImageTurns;
import storage.mars.engine.volume.Images;

/**
 * Copies the volumes from another replica while the log is being pulled (design §8, sync rule):
 * what is there already is not sent, what a record that was taken in since a piece was begun has
 * covered is dropped, the rest is written to the image. Progress is recorded after an image sync;
 * the replica is consistent when nothing is left, the log is durable up to the newest content that
 * was copied, and the images are synced. The table is docs/sync.md. Owned by the shard.
 */
public final class SyncTarget {

    private static final int PIECE = LogFormat.MAX_FRAME;
    private static final int PIECES = 4;
    private static final long RECORD_EVERY = 64L << 20;

    /** Progress of a small replica is recorded a few times too. */
    private static final int RECORDS = 8;

    private final Images images;
    private final ImageTurns turns;
    private final OwnBlocks own;
    private final LogTail tail;
    private final MetadataStore metadata;
    private final PeerCodec codec;
    private final Listener listener;
    private final List<SyncPiece> pieces = new ArrayList<>();
    private final ArrayDeque<ByteBuffer> memory = new ArrayDeque<>();
    private @Nullable PeerLink link;
    private int askIndex;
    private long askOffset;
    private long required;
    private final int failedSyncs;
    private long recordedBytes;
    private SyncState reached;
    private long reachedBytes;
    private final LongSupplier requests;
    private long awaitedDurable;
    private Phase phase = Phase.COPYING;

    /** Steps of a sync; RECORDING returns to COPYING until all is copied. */
    public enum Phase {
        COPYING,
        /** Waits until the log is durable up to what the copied blocks rely on. */
        AWAITING_LOG,
        SYNCING_IMAGES,
        RECORDING,
        DONE,
        FAILED
    }

    /** Who is told; called on the shard. */
    public interface Listener {

        /** The replica is consistent, durably recorded. */
        void syncDone();

        void syncFailed(String reason);
    }

    /**
     * {@code requests} names each question, as no earlier target's was named over this link; {@code
     * requiredBefore} is what a target before this one, which has failed, relied on: what it was
     * writing may still come into the images.
     */
    public SyncTarget(
            Images images,
            ImageTurns turns,
            LogTail tail,
            MetadataStore metadata,
            PeerCodec codec,
            Offload offload,
            LongSupplier requests,
            long requiredBefore,
            Listener listener) {
        this.requests = requests;
        this.images = images;
        own = new OwnBlocks(images, offload);
        this.turns = turns;
        this.tail = tail;
        this.metadata = metadata;
        this.codec = codec;
        this.listener = listener;
        SyncState state = metadata.current().sync();
        Invariant.check(state.inconsistent(), "the inconsistent mark is durable before a sync");
        reached = state;
        askIndex = state.volume();
        askOffset = state.copiedBytes();
        required = Math.max(state.requiredPosition(), requiredBefore);
        recordedBytes = copiedBytes();
        failedSyncs = images.failedSyncs();
    }

    public Phase phase() {
        return phase;
    }

    /** Newest content that was answered: recorded or not, what was copied relies on it. */
    public long required() {
        return required;
    }

    /**
     * Goes on over a link to a replica that is consistent. Everything that is not in the image yet
     * is asked again; an answer that waits for its turn is not used any more, since what covers it
     * is no longer followed.
     */
    public void start(PeerLink newLink) {
        link = newLink;
        if (!pieces.isEmpty()) {
            askIndex = pieces.getFirst().index;
            askOffset = pieces.getFirst().offset;
            cancel();
        }
        advance();
    }

    /** What waits for its turn to be written is not written any more. */
    private void cancel() {
        pieces.forEach(piece -> piece.cancelled = true);
        pieces.clear();
    }

    public void linkEnded() {
        link = null;
    }

    private void ask() {
        PeerLink to = link;
        while (to != null && phase == Phase.COPYING && pieces.size() < PIECES && nextRange()) {
            VolumeShape shape = images.shapes().get(askIndex);
            int length = (int) Math.min(PIECE, shape.sizeBytes() - askOffset);
            SyncPiece piece =
                    new SyncPiece(requests.getAsLong(), askIndex, shape.id(), askOffset, length);
            pieces.add(piece);
            askOffset += length;
            ByteBuffer buffer = memory.isEmpty() ? AlignedBuffers.allocate() : memory.pop();
            own.digests(
                    piece.volume,
                    piece.offset,
                    buffer.clear().limit(length),
                    () -> !piece.cancelled,
                    digests -> {
                        memory.push(buffer);
                        ask(piece, to, digests);
                    });
        }
    }

    private void ask(SyncPiece piece, PeerLink to, ByteBuffer digests) {
        if (piece.cancelled || !to.equals(link)) {
            return; // asked again over another link
        }
        piece.compared = digests.hasRemaining();
        to.send(
                codec.encode(
                        new ReadBlocks(
                                piece.request,
                                piece.volume,
                                piece.offset,
                                piece.length,
                                tail.end(),
                                digests)));
    }

    private long size(int index) {
        return images.shapes().get(index).sizeBytes();
    }

    /** Moves to the next volume where one is asked for whole; false behind the last. */
    private boolean nextRange() {
        while (askIndex < images.shapes().size() && askOffset >= size(askIndex)) {
            askIndex++;
            askOffset = 0;
        }
        return askIndex < images.shapes().size();
    }

    /**
     * A frame has been taken into the log: what it covers is newer than any answer to what was
     * asked before.
     */
    public void taken(FrameView frame) {
        for (int i = 0; i < frame.recordCount(); i++) {
            RecordType type = frame.type(i);
            if (type != null && type.family() == RecordType.Family.DATA) {
                for (SyncPiece piece : pieces) {
                    piece.cover(frame.volume(i), frame.rangeOffset(i), frame.rangeLength(i));
                }
            }
        }
    }

    public void received(BlockData data) {
        for (SyncPiece piece : pieces) {
            if (piece.request == data.request() && !piece.answered) {
                answered(piece, data);
                return;
            }
        }
    }

    private void answered(SyncPiece piece, BlockData data) {
        boolean same =
                piece.volume == data.volume()
                        && piece.offset == data.offset()
                        && piece.length == data.length();
        if (!same) {
            fail("the source answered another range than was asked for");
            return;
        }
        if (!data.zero() && !piece.compared && data.differing().cardinality() < piece.blocks()) {
            fail("the source left out blocks that it was not asked to compare");
            return;
        }
        piece.answered = true;
        if (!data.zero()) {
            ByteBuffer buffer = memory.isEmpty() ? AlignedBuffers.allocate() : memory.pop();
            piece.take(data.differing(), data.bytes(), buffer.clear());
        }
        required = Math.max(required, data.newest());
        piece.writes = 1;
        turns.take(() -> write(piece));
    }

    private void write(SyncPiece piece) {
        int block = piece.cancelled ? piece.blocks() : 0;
        while (block < piece.blocks()) {
            int from = piece.spared.nextClearBit(block);
            int until = piece.spared.nextSetBit(from);
            int to = until < 0 ? piece.blocks() : Math.min(until, piece.blocks());
            if (from < to) {
                piece.writes++;
                writeRun(piece, from * Blocks.SIZE, (to - from) * Blocks.SIZE);
            }
            block = Math.max(to, from + 1);
        }
        written(piece, null);
    }

    private void writeRun(SyncPiece piece, int from, int length) {
        long at = piece.offset + from;
        ByteBuffer bytes = piece.bytes;
        if (bytes == null) {
            images.of(piece.volume).zero(at, length, failure -> written(piece, failure));
        } else {
            images.of(piece.volume)
                    .write(at, bytes.slice(from, length), failure -> written(piece, failure));
        }
    }

    private void written(SyncPiece piece, @Nullable IoFailure failure) {
        piece.writes--;
        if (failure != null) {
            fail("image cannot be written: " + failure);
        }
        if (piece.writes > 0) {
            return;
        }
        ByteBuffer bytes = piece.bytes;
        if (bytes != null) {
            piece.bytes = null;
            memory.push(bytes);
        }
        turns.giveBack();
        piece.done = true;
        if (!piece.cancelled) {
            advance();
        }
    }

    private void advance() {
        while (!pieces.isEmpty() && pieces.getFirst().done) {
            pieces.removeFirst();
        }
        boolean all = pieces.isEmpty() && !nextRange();
        if (phase == Phase.COPYING && (all || copiedBytes() - recordedBytes >= recordEvery())) {
            awaitedDurable = all ? Math.max(required, tail.end()) : tail.end();
            // What is written from now on may not be covered by the sync, and is not recorded.
            reached = all ? SyncState.DONE : progress();
            reachedBytes = copiedBytes();
            phase = Phase.AWAITING_LOG;
            logDurable();
        }
        ask();
    }

    /** Bytes that are in the images, or covered by the log. */
    public long copiedBytes() {
        long bytes = pieces.isEmpty() ? askOffset : pieces.getFirst().offset;
        int index = pieces.isEmpty() ? askIndex : pieces.getFirst().index;
        for (int i = 0; i < Math.min(index, images.shapes().size()); i++) {
            bytes += size(i);
        }
        return Math.min(bytes, totalBytes());
    }

    private long recordEvery() {
        return Math.min(RECORD_EVERY, totalBytes() / RECORDS);
    }

    public long totalBytes() {
        return images.shapes().stream().mapToLong(VolumeShape::sizeBytes).sum();
    }

    /** The log has become durable up to where it is now. */
    public void logDurable() {
        if (phase == Phase.AWAITING_LOG && tail.durable() >= awaitedDurable) {
            phase = Phase.SYNCING_IMAGES;
            images.sync(failure -> {
                // What was copied before a sync that somebody else asked for has failed is copied
                // again too.
                if (failure != null || images.failedSyncs() != failedSyncs) {
                    fail("images cannot be synced: " + failure);
                } else if (phase == Phase.SYNCING_IMAGES) {
                    record();
                }
            });
        }
    }

    private void record() {
        phase = Phase.RECORDING;
        SyncState state = reached;
        metadata.update(
                draft -> draft.sync = state,
                failure -> {
                    if (failure != null) {
                        fail("progress cannot be recorded: " + failure);
                        return;
                    }
                    if (phase != Phase.RECORDING) {
                        return;
                    }
                    recordedBytes = reachedBytes;
                    if (state.inconsistent()) {
                        phase = Phase.COPYING;
                        advance();
                    } else {
                        phase = Phase.DONE;
                        listener.syncDone();
                    }
                });
    }

    /** How far everything is in the images, or covered by the log. */
    private SyncState progress() {
        boolean open = !pieces.isEmpty();
        int index = open ? pieces.getFirst().index : askIndex;
        long offset = open ? pieces.getFirst().offset : askOffset;
        return new SyncState(true, index, offset, required);
    }

    private void fail(String reason) {
        if (phase != Phase.FAILED && phase != Phase.DONE) {
            phase = Phase.FAILED;
            cancel();
            listener.syncFailed(reason);
        }
    }

    /** The replica ends or starts over; image operations under way may still complete. */
    public void end() {
        phase = Phase.FAILED;
        link = null;
        cancel();
    }
}
