// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.ReplicaMetadata.Offer;

/**
 * The payload blocks of control records, 4096 bytes each, zero behind their fields
 * (docs/format/log.md).
 */
public final class ControlPayload {

    private ControlPayload() {}

    /**
     * Payload of EPOCH: the epoch that starts with the frame of the record, its writer and its
     * start.
     */
    public static ByteBuffer epoch(EpochId id, long writer, long start) {
        ByteBuffer payload = block();
        new FieldWriter(payload).epochId(id).i64(writer).i64(start);
        return payload.clear();
    }

    /**
     * Payload of END: the replica that the role is for, 0 for anybody, and the term it may have.
     */
    public static ByteBuffer end(long target, long term) {
        ByteBuffer payload = block();
        new FieldWriter(payload).i64(target).i64(term);
        return payload.clear();
    }

    /**
     * What record {@code index} of that frame, an END whose payload has been verified, offers; null
     * when it makes no sense.
     */
    public static @Nullable Offer offer(FrameView frame, int index) {
        int at = frame.offset() + frame.payloadOffset(index);
        long term = frame.payloadLength(index) < 16 ? -1 : frame.buffer().getLong(at + 8);
        return term < 0
                ? null
                : new Offer(frame.position() + frame.length(), frame.buffer().getLong(at), term);
    }

    private static ByteBuffer block() {
        return ByteBuffer.allocate(Blocks.SIZE).order(ByteOrder.LITTLE_ENDIAN);
    }
}
