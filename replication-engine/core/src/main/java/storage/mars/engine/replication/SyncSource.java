// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replication;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.Blocks;
import storage.mars.engine.log.EpochId;
import storage.mars.engine.log.LogAccess;
import storage.mars.engine.log.LogFormat;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Offload;
import storage.mars.engine.port.PeerLink;
import storage.mars.engine.replication.PeerMessage.BlockData;
import storage.mars.engine.replication.PeerMessage.BlocksUnavailable;
import storage.mars.engine.replication.PeerMessage.ReadBlocks;
import storage.mars.engine.volume.BlockReader;
import storage.mars.engine.volume.Images;

/**
 * Answers a sync target: the content of a range from image and durable index, without the blocks
 * whose digests the target has sent, tagged with the durable position that was sampled after the
 * read had completed. Owned by the shard; lives as long as its link.
 */
public final class SyncSource {

    /** Each has a buffer of the shard's, and its answer waits in the link. */
    private static final int MAX_READING = 4;

    /** A target asks for four ranges, and asks again for as many after some trouble. */
    private static final int MAX_OPEN = 32;

    private final BlockReader reader;
    private final Images images;
    private final LogAccess log;
    private final PeerCodec codec;
    private final PeerLink link;
    private final Offload offload;
    private final LongSupplier known;
    private final ArrayDeque<ReadBlocks> waiting = new ArrayDeque<>();
    private int reading;
    private boolean ended;

    /** The durable position, and its epoch, once a read had completed. */
    private record Tag(EpochId epoch, long newest) {}

    /** {@code known} yields the durable position up to which the index has the log. */
    public SyncSource(
            BlockReader reader,
            Images images,
            LogAccess log,
            PeerCodec codec,
            PeerLink link,
            Offload offload,
            LongSupplier known) {
        this.reader = reader;
        this.images = images;
        this.log = log;
        this.codec = codec;
        this.link = link;
        this.offload = offload;
        this.known = known;
    }

    public void end() {
        ended = true;
        waiting.clear();
    }

    /** False when the target asks for more at once than any target does; nothing is done then. */
    public boolean received(ReadBlocks question) {
        if (waiting.size() + reading >= MAX_OPEN) {
            return false;
        }
        waiting.add(question);
        advance();
        return true;
    }

    /** Answers what it may: the link takes more, or a read has ended. */
    public void advance() {
        while (!ended && !waiting.isEmpty() && reading < MAX_READING && link.isWritable()) {
            ReadBlocks question = waiting.remove();
            String refusal = refusal(question);
            if (refusal != null) {
                unavailable(question, refusal);
            } else {
                reading++;
                log.buffers().acquireStaging(1, buffers -> read(question, buffers));
            }
        }
    }

    private void read(ReadBlocks question, List<ByteBuffer> buffers) {
        ByteBuffer buffer = buffers.getFirst();
        buffer.limit(question.length());
        reader.read(
                question.volume(),
                question.offset(),
                buffer,
                true,
                failure -> {
                    if (ended || failure != null) {
                        answered(question, buffers, failure);
                    } else {
                        answer(question, buffers, buffer.flip());
                    }
                });
    }

    /** What was read is not newer than the log is now, whenever the answer goes. */
    private void answer(ReadBlocks question, List<ByteBuffer> buffers, ByteBuffer content) {
        Tag tag = new Tag(log.history().get().lastId(), known.getAsLong());
        BitSet differing = new BitSet();
        if (isZero(content)) {
            send(question, tag, true, differing, content.limit(0));
            answered(question, buffers, null);
        } else if (!question.digests().hasRemaining()) {
            differing.set(0, question.length() >> Blocks.SHIFT);
            send(question, tag, false, differing, content);
            answered(question, buffers, null);
        } else {
            offload.run(
                    () -> differing.or(BlockDigests.differing(content, question.digests())),
                    failure -> {
                        if (!ended && failure == null) {
                            send(question, tag, false, differing, packed(content, differing));
                        }
                        answered(question, buffers, failure);
                    });
        }
    }

    /** Moves these blocks to the front, one after the other. */
    private static ByteBuffer packed(ByteBuffer content, BitSet blocks) {
        int to = 0;
        for (int i = blocks.nextSetBit(0); i >= 0; i = blocks.nextSetBit(i + 1)) {
            content.put(to, content, i << Blocks.SHIFT, Blocks.SIZE);
            to += Blocks.SIZE;
        }
        return content.limit(to);
    }

    private void answered(
            ReadBlocks question, List<ByteBuffer> buffers, @Nullable IoFailure failure) {
        if (!ended && failure != null) {
            unavailable(question, failure.toString());
        }
        log.buffers().releaseStaging(buffers);
        reading--;
        advance();
    }

    private void unavailable(ReadBlocks question, String reason) {
        link.send(codec.encode(new BlocksUnavailable(question.request(), reason)));
    }

    private @Nullable String refusal(ReadBlocks q) {
        if (q.received() > known.getAsLong()) {
            return "the target's log is ahead of this one";
        }
        boolean known = images.shapes().stream().anyMatch(shape -> shape.id() == q.volume());
        if (!known) {
            return "there is no volume " + q.volume();
        }
        boolean range =
                q.length() > 0
                        && q.length() <= LogFormat.MAX_FRAME
                        && Blocks.aligned(q.offset() | q.length())
                        && q.offset() <= images.sizeBytes(q.volume()) - q.length();
        return range ? null : "the range lies outside of the volume";
    }

    private void send(ReadBlocks q, Tag tag, boolean zero, BitSet differing, ByteBuffer bytes) {
        link.send(
                codec.encode(
                        new BlockData(
                                q.request(),
                                q.volume(),
                                q.offset(),
                                q.length(),
                                tag.epoch(),
                                tag.newest(),
                                zero,
                                differing,
                                bytes)));
    }

    private static boolean isZero(ByteBuffer bytes) {
        for (int i = 0; i < bytes.limit(); i += Long.BYTES) {
            if (bytes.getLong(i) != 0) {
                return false;
            }
        }
        return true;
    }
}
