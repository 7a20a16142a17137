// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replication;

import java.nio.ByteBuffer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.Blocks;
import storage.mars.engine.log.LogAccess;
import storage.mars.engine.log.LogFormat;
import storage.mars.engine.port.PeerLink;
import storage.mars.engine.replication.PeerMessage.BlockData;
import storage.mars.engine.replication.PeerMessage.BlocksUnavailable;
import storage.mars.engine.replication.PeerMessage.ReadBlocks;
import storage.mars.engine.volume.BlockReader;
import storage.mars.engine.volume.Images;

/**
 * Answers a sync target: the content of a range from image and durable index, tagged with the
 * durable position that was sampled after the read had completed. Owned by the shard; lives as long
 * as its link.
 */
public final class SyncSource {

    private final BlockReader reader;
    private final Images images;
    private final LogAccess log;
    private final PeerCodec codec;
    private final PeerLink link;
    private final LongSupplier known;
    private boolean ended;

    /** {@code known} yields the durable position up to which the index has the log. */
    public SyncSource(
            BlockReader reader,
            Images images,
            LogAccess log,
            PeerCodec codec,
            PeerLink link,
            LongSupplier known) {
        this.reader = reader;
        this.images = images;
        this.log = log;
        this.codec = codec;
        this.link = link;
        this.known = known;
    }

    public void end() {
        ended = true;
    }

    public void received(ReadBlocks question) {
        String refusal = refusal(question);
        if (refusal != null) {
            link.send(codec.encode(new BlocksUnavailable(question.request(), refusal)));
            return;
        }
        log.buffers()
                .acquireStaging(
                        1,
                        buffers -> {
                            ByteBuffer buffer = buffers.getFirst();
                            buffer.limit(question.length());
                            reader.read(
                                    question.volume(),
                                    question.offset(),
                                    buffer,
                                    true,
                                    failure -> {
                                        if (!ended && failure == null) {
                                            answer(question, buffer.flip());
                                        } else if (!ended) {
                                            link.send(
                                                    codec.encode(
                                                            new BlocksUnavailable(
                                                                    question.request(),
                                                                    String.valueOf(failure))));
                                        }
                                        log.buffers().releaseStaging(buffers);
                                    });
                        });
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

    private void answer(ReadBlocks q, ByteBuffer bytes) {
        boolean zero = isZero(bytes);
        link.send(
                codec.encode(
                        new BlockData(
                                q.request(),
                                q.volume(),
                                q.offset(),
                                q.length(),
                                log.history().get().lastId(),
                                known.getAsLong(),
                                zero,
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
