// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.IoFailure;

/**
 * Reads the log back from its segments, a batch of whole verified frames at a time: checksums of
 * descriptors and payloads, position, epoch and, when the caller knows it, the chain. Reads bypass
 * the page cache where the storage can, so what verifies is on the device. Owned by the shard.
 */
public final class LogBatchReader {

    /** Up to here the way to a record costs less than a read of its own. */
    private static final int NEAR = 128 << 10;

    private final SegmentStore segments;
    private final SegmentLayout layout;
    private final FrameVerifier verifier;
    private final FrameView view = new FrameView();

    public LogBatchReader(SegmentStore segments, FrameVerifier verifier) {
        this.segments = segments;
        this.layout = segments.layout();
        this.verifier = verifier;
    }

    /**
     * What a read found: the frames of [from, to) lie in {@code bytes} from its start on. {@code
     * fault} says what is wrong at {@code to}, whose bytes follow as far as they were read; when it
     * is null and {@code to} equals {@code from}, {@code from} is at the limit.
     */
    public record Batch(
            long from, long to, ByteBuffer bytes, @Nullable String fault, boolean ioFailed) {}

    /** Gets a batch; called on the shard. */
    public interface Reader {
        void read(Batch batch);
    }

    /**
     * Reads from the frame boundary {@code from} on, as much as {@code buffer} takes, not beyond
     * {@code limit} nor the end of the segment. {@code chain}, when given, is advanced over every
     * good frame.
     */
    public void read(
            long from,
            long limit,
            EpochHistory history,
            @Nullable Chain chain,
            ByteBuffer buffer,
            Reader reader) {
        Segment segment = segments.holding(from);
        if (segment == null) {
            reader.read(new Batch(from, from, buffer, "no segment holds position " + from, false));
            return;
        }
        int offset = layout.offset(from);
        long until = Math.min(layout.end(from), Blocks.ceil(Math.max(limit, from + 1)));
        int length = (int) Math.min(buffer.capacity(), Math.max(LogFormat.BLOCK, until - from));
        segment.pin();
        segment.file.read(
                offset,
                buffer.clear().limit(length),
                failure -> {
                    segments.unpin(segment);
                    buffer.clear().limit(length);
                    if (failure != null) {
                        reader.read(new Batch(from, from, buffer, failure.toString(), true));
                    } else {
                        reader.read(verify(from, limit, history, chain, buffer));
                    }
                });
    }

    /**
     * Reads the record that holds the block at {@code location}: on success [from, to) is its
     * payload's place in the log and {@code bytes} its verified payload, valid until the reader
     * returns. The segment is kept from the call on, however long it takes until a buffer is free.
     */
    public void readRecord(
            long location, EpochHistory history, AlignedBuffers buffers, Reader reader) {
        long frame = LogLocation.frame(location);
        Segment segment = segments.holding(frame);
        if (segment != null) {
            segment.pin();
        }
        buffers.acquire(buffer -> {
            Reader releasing =
                    batch -> {
                        reader.read(batch);
                        buffers.release(buffer);
                    };
            if (segment == null) {
                String fault = "no segment holds position " + frame;
                releasing.read(new Batch(frame, frame, buffer, fault, false));
            } else {
                readRecord(segment, location, history, buffer, releasing);
            }
        });
    }

    private void readRecord(
            Segment segment,
            long location,
            EpochHistory history,
            ByteBuffer buffer,
            Reader reader) {
        long frame = LogLocation.frame(location);
        long block = LogLocation.position(location);
        long until =
                Math.min(
                        block + LogFormat.MAX_PAYLOAD,
                        Math.min(frame + LogFormat.MAX_FRAME, layout.end(frame)));
        if (until - frame > NEAR) {
            readDescriptorFirst(segment, frame, block, history, buffer, reader);
            return;
        }
        int length = (int) (until - frame);
        segment.file.read(
                layout.offset(frame),
                buffer.clear().limit(length),
                failure -> {
                    segments.unpin(segment);
                    buffer.clear().limit(length);
                    int record = failure == null ? find(frame, block, history, buffer) : -1;
                    reader.read(
                            record < 0
                                    ? notFound(frame, block, history, buffer, failure)
                                    : payload(frame, record, view.payloadOffset(record), buffer));
                });
    }

    /** Much of the frame may lie between its descriptor and the record: that is not read. */
    private void readDescriptorFirst(
            Segment segment,
            long frame,
            long block,
            EpochHistory history,
            ByteBuffer buffer,
            Reader reader) {
        segment.file.read(
                layout.offset(frame),
                buffer.clear().limit(LogFormat.BLOCK),
                failure -> {
                    buffer.clear().limit(LogFormat.BLOCK);
                    int record = failure == null ? find(frame, block, history, buffer) : -1;
                    if (record >= 0) {
                        readPayload(segment, frame, block, record, buffer, reader);
                        return;
                    }
                    segments.unpin(segment);
                    reader.read(notFound(frame, block, history, buffer, failure));
                });
    }

    private void readPayload(
            Segment segment, long frame, long block, int record, ByteBuffer buffer, Reader reader) {
        int end = LogFormat.BLOCK + view.payloadLength(record);
        segment.file.read(
                layout.offset(frame + view.payloadOffset(record)),
                buffer.clear().limit(end).position(LogFormat.BLOCK),
                failure -> {
                    segments.unpin(segment);
                    buffer.clear().limit(end);
                    reader.read(
                            failure == null
                                    ? payload(frame, record, LogFormat.BLOCK, buffer)
                                    : new Batch(block, block, buffer, failure.toString(), true));
                });
    }

    /** The record of the frame in {@code buffer} that holds the block; -1 when none does. */
    private int find(long frame, long block, EpochHistory history, ByteBuffer buffer) {
        boolean good = descriptorFault(view.wrap(buffer, 0), frame, history, null) == null;
        for (int i = 0; good && i < view.recordCount(); i++) {
            long from = frame + view.payloadOffset(i);
            if (block >= from && block < from + view.payloadLength(i)) {
                return i;
            }
        }
        return -1;
    }

    /** Why {@link #find} found nothing; {@code failure} when nothing could be read. */
    private Batch notFound(
            long frame,
            long block,
            EpochHistory history,
            ByteBuffer buffer,
            @Nullable IoFailure failure) {
        if (failure != null) {
            return new Batch(block, block, buffer, failure.toString(), true);
        }
        String fault = descriptorFault(view.wrap(buffer, 0), frame, history, null);
        String reason = fault == null ? "no record holds this block" : fault;
        return new Batch(block, block, buffer, reason, false);
    }

    /**
     * The descriptor in {@code buffer} was found right; the record's payload lies at {@code at}.
     */
    private Batch payload(long frame, int record, int at, ByteBuffer buffer) {
        boolean right = verifier.payloadIsRight(view.wrap(buffer, 0), record, buffer, at);
        long from = frame + view.payloadOffset(record);
        int length = view.payloadLength(record);
        buffer.limit(at + length).position(at);
        String fault = right ? null : "payload checksum of record " + record + " differs";
        return new Batch(from, from + length, buffer, fault, false);
    }

    private Batch verify(
            long from, long limit, EpochHistory history, @Nullable Chain chain, ByteBuffer buffer) {
        int length = buffer.limit();
        long position = from;
        int offset = 0;
        String fault = null;
        boolean ended = false;
        while (!ended && position < limit && offset + LogFormat.BLOCK <= length) {
            boolean header = layout.isHeader(position);
            fault =
                    header
                            ? verifier.headerFault(buffer, offset, position, history, chain)
                            : descriptorFault(view.wrap(buffer, offset), position, history, chain);
            int stored = header || fault != null ? LogFormat.BLOCK : view.storedLength();
            if (fault == null && offset + stored > length) {
                // The next batch begins with it; unless this one does, and nothing more can be
                // read.
                fault = offset > 0 ? null : "frame reaches beyond the known end of the log";
                break;
            }
            if (fault == null && !header) {
                fault = verifier.payloadFault(view);
            }
            if (fault != null) {
                break;
            }
            if (!header && chain != null) {
                chain.advance(buffer, offset, view.recordCount());
            }
            position += header ? LogFormat.BLOCK : view.length();
            offset += stored;
            ended = layout.isHeader(position);
        }
        if (fault == null) {
            buffer.position(0).limit(offset);
        }
        return new Batch(from, position, buffer, fault, false);
    }

    private @Nullable String descriptorFault(
            FrameView frame, long position, EpochHistory history, @Nullable Chain chain) {
        String fault = verifier.descriptorFault(frame, position);
        if (fault != null) {
            return fault;
        }
        Epoch epoch = history.at(position);
        if (epoch == null || epoch.id().id() != frame.epochId()) {
            return "frame of an epoch that does not hold this position";
        }
        boolean follows = chain == null || chain.matches(frame.chainHigh(), frame.chainLow());
        return follows ? null : "frame does not follow the one before it";
    }

    /** Shows the frames of a good batch one after the other. */
    public void visit(Batch batch, FrameVisitor visitor) {
        long position = batch.from();
        int offset = 0;
        while (position < batch.to()) {
            if (layout.isHeader(position)) {
                position += LogFormat.BLOCK;
                offset += LogFormat.BLOCK;
                continue;
            }
            view.wrap(batch.bytes(), offset);
            int stored = view.storedLength();
            long length = view.length();
            visitor.frame(view);
            offset += stored;
            position += length;
        }
    }
}
