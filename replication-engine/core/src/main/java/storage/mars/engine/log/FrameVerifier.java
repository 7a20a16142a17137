// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether bytes are the frame, or the segment header, that belongs at a position of one
 * resource's log. The same rules hold at recovery, at reception and when a frame is read back.
 * Never reads beyond the given bytes and believes no length before its checksum.
 */
public final class FrameVerifier {

    private static final int MAX_VOLUMES = 16;

    private final long resource;
    private final SegmentLayout layout;
    private final Checksum checksum = new Checksum();
    private final FrameView scratch = new FrameView();

    public FrameVerifier(long resource, SegmentLayout layout) {
        this.resource = resource;
        this.layout = layout;
    }

    /**
     * Checks the descriptor under {@code frame} as the one at {@code position}, apart from its
     * chain and epoch; null when it is right, else what is wrong.
     */
    public @Nullable String descriptorFault(FrameView frame, long position) {
        if (!frame.hasMagic()) {
            return "no frame descriptor";
        }
        if (!checksum.blockIsSealed(frame.buffer(), frame.offset())) {
            return "descriptor checksum differs";
        }
        if (frame.version() != LogFormat.VERSION) {
            return "log format version " + frame.version() + " is not known";
        }
        if (frame.resource() != resource || frame.position() != position) {
            return "frame of another place or resource";
        }
        return shapeFault(frame, position);
    }

    private @Nullable String shapeFault(FrameView frame, long position) {
        int length = frame.length();
        int room = layout.room(position);
        if (frame.isPad()) {
            return length == room && frame.recordCount() == 0 ? null : "impossible PAD frame";
        }
        boolean possible =
                length >= LogFormat.BLOCK
                        && Blocks.aligned(length)
                        && length <= room
                        && length <= LogFormat.MAX_FRAME
                        && frame.recordCount() <= LogFormat.MAX_RECORDS;
        if (!possible) {
            return "impossible frame length or record count";
        }
        int payloadAt = LogFormat.BLOCK;
        for (int i = 0; i < frame.recordCount(); i++) {
            int payload = frame.payloadLength(i);
            if (payload == 0) {
                continue;
            }
            boolean inside =
                    payload > 0
                            && payload <= LogFormat.MAX_PAYLOAD
                            && Blocks.aligned(payload)
                            && frame.payloadOffset(i) == payloadAt
                            && payloadAt + payload <= length;
            if (!inside) {
                return "record payload outside of its frame";
            }
            payloadAt += payload;
        }
        return payloadAt == length ? recordFault(frame) : "frame length differs from its records";
    }

    private static @Nullable String recordFault(FrameView frame) {
        for (int i = 0; i < frame.recordCount(); i++) {
            RecordType type = frame.type(i);
            if (type == null) {
                return "record type " + frame.typeCode(i) + " is not known to this version";
            }
            if (type.family() != RecordType.Family.DATA) {
                continue;
            }
            long offset = frame.rangeOffset(i);
            long length = frame.rangeLength(i);
            boolean range =
                    offset >= 0
                            && length > 0
                            && offset + length > 0
                            && Blocks.aligned(offset | length);
            boolean volume = frame.volume(i) < MAX_VOLUMES;
            boolean payload = frame.payloadLength(i) == (type == RecordType.WRITE ? length : 0);
            if (!volume || !range || !payload) {
                return "impossible volume or range of a record";
            }
        }
        return null;
    }

    /**
     * Checks all payloads of a frame whose descriptor is right and whose bytes follow it in the
     * same buffer.
     */
    public @Nullable String payloadFault(FrameView frame) {
        for (int i = 0; i < frame.recordCount(); i++) {
            if (frame.payloadLength(i) > 0 && !payloadIsRight(frame, i)) {
                return "payload checksum of record " + i + " differs";
            }
        }
        return null;
    }

    private boolean payloadIsRight(FrameView frame, int i) {
        int offset = frame.offset() + frame.payloadOffset(i);
        return checksum.of(frame.buffer(), offset, frame.payloadLength(i)) == frame.payloadCrc(i);
    }

    /** Checks one payload that lies at {@code offset} of another buffer. */
    public boolean payloadIsRight(FrameView frame, int record, ByteBuffer buffer, int offset) {
        return checksum.of(buffer, offset, frame.payloadLength(record)) == frame.payloadCrc(record);
    }

    /**
     * What is wrong with a block that the log wrote whole at {@code position} in the epoch that
     * holds it, but that is not understood: of another version of the format, or of an impossible
     * shape. Such a block is never a torn write. Null when the block was not written whole there.
     */
    @Nullable String foreignFault(
            ByteBuffer buffer, int offset, long position, EpochHistory history) {
        boolean header = buffer.getLong(offset) == LogFormat.SEGMENT_MAGIC;
        boolean frame = buffer.getInt(offset) == LogFormat.FRAME_MAGIC;
        if ((!header && !frame) || !checksum.blockIsSealed(buffer, offset)) {
            return null;
        }
        // These fields keep their places in every version.
        int at = offset + (header ? 16 : 8);
        Epoch epoch = history.at(position);
        boolean here =
                buffer.getLong(at) == resource
                        && buffer.getLong(at + 8) == position
                        && epoch != null
                        && epoch.id().id() == buffer.getLong(offset + 48);
        if (!here) {
            return null;
        }
        return header
                ? placeFault(buffer, offset, position)
                : descriptorFault(scratch.wrap(buffer, offset), position);
    }

    /**
     * Checks the segment header at {@code offset} as the one at {@code position}; null when it is
     * right. Without a history the epoch, without a chain the link to the frame before is not
     * looked at.
     */
    public @Nullable String headerFault(
            ByteBuffer buffer,
            int offset,
            long position,
            @Nullable EpochHistory history,
            @Nullable Chain chain) {
        String fault = placeFault(buffer, offset, position);
        if (fault != null) {
            return fault;
        }
        Epoch epoch = history == null ? null : history.at(position);
        if (history != null && (epoch == null || epoch.id().id() != buffer.getLong(offset + 48))) {
            return "segment header of an epoch that does not hold this position";
        }
        boolean follows =
                chain == null
                        || chain.matches(buffer.getLong(offset + 56), buffer.getLong(offset + 64));
        return follows ? null : "segment header does not follow the frame before it";
    }

    private @Nullable String placeFault(ByteBuffer buffer, int offset, long position) {
        if (buffer.getLong(offset) != LogFormat.SEGMENT_MAGIC) {
            return "no segment header";
        }
        if (!checksum.blockIsSealed(buffer, offset)) {
            return "segment header checksum differs";
        }
        if (buffer.getInt(offset + 8) != LogFormat.VERSION) {
            return "segment format version " + buffer.getInt(offset + 8) + " is not known";
        }
        boolean place =
                buffer.getInt(offset + 12) == layout.segmentBytes()
                        && buffer.getLong(offset + 16) == resource
                        && buffer.getLong(offset + 24) == position;
        return place ? null : "segment header of another place or resource";
    }

    /**
     * Writes the segment header for {@code position}: everything in it follows from the log before
     * it.
     */
    void putHeader(ByteBuffer buffer, int offset, long position, EpochId epoch, Chain chain) {
        for (int i = 0; i < LogFormat.BLOCK; i += Long.BYTES) {
            buffer.putLong(offset + i, 0);
        }
        buffer.putLong(offset, LogFormat.SEGMENT_MAGIC).putInt(offset + 8, LogFormat.VERSION);
        buffer.putInt(offset + 12, layout.segmentBytes()).putLong(offset + 16, resource);
        buffer.putLong(offset + 24, position).putLong(offset + 32, epoch.term());
        buffer.putLong(offset + 40, epoch.sequence()).putLong(offset + 48, epoch.id());
        buffer.putLong(offset + 56, chain.high()).putLong(offset + 64, chain.low());
        checksum.sealBlock(buffer, offset);
    }
}
