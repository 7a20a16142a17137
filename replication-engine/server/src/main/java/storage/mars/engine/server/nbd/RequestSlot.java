// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.export.BlockRequest;
import storage.mars.engine.export.Extents;
import storage.mars.engine.export.Outcome;

/**
 * A request on its way through the engine; one of a connection's reusable {@link RequestSlots}.
 * Holds the memory of its payload or reply: a view of a {@link ReceiveBlock}, or a buffer of {@link
 * PayloadMemory}.
 */
final class RequestSlot extends BlockRequest {

    /** Room in front of a READ's data for the longest header of a reply. */
    static final int HEADROOM = Nbd.CHUNK_HEADER_BYTES + Long.BYTES;

    static final int MAX_EXTENTS = 8192;

    /** The slot's owner; called on the shard. */
    interface Owner {

        void payloadTaken(RequestSlot slot);

        void completed(RequestSlot slot, Outcome outcome);
    }

    private final Owner owner;
    private @Nullable ReceiveBlock block;
    private @Nullable ByteBuf buffer;

    int type;
    long cookie;
    boolean oneExtent;

    /** What it has reserved and not given back. */
    long reserved;

    RequestSlot(Owner owner) {
        this.owner = owner;
    }

    void begin(RequestHeader header, long reservation) {
        type = header.type;
        cookie = header.cookie;
        offset = header.offset;
        length = header.length;
        forceUnitAccess = header.has(Nbd.CMD_FLAG_FUA);
        oneExtent = header.has(Nbd.CMD_FLAG_REQ_ONE);
        reserved = reservation;
        op =
                switch (type) {
                    case Nbd.CMD_READ -> Op.READ;
                    case Nbd.CMD_WRITE -> Op.WRITE;
                    case Nbd.CMD_TRIM -> Op.TRIM;
                    case Nbd.CMD_WRITE_ZEROES -> Op.ZERO;
                    case Nbd.CMD_FLUSH -> Op.FLUSH;
                    case Nbd.CMD_CACHE -> Op.CACHE;
                    case Nbd.CMD_BLOCK_STATUS -> Op.BLOCK_STATUS;
                    default -> throw new IllegalStateException("no request of type " + type);
                };
    }

    /** The payload is the next bytes of {@code source}, where they are. */
    void borrowPayload(ReceiveBlock source) {
        block = source;
        data = source.lend((int) length);
    }

    /** The payload is about to be read into a buffer of its own. */
    ByteBuf allocatePayload(PayloadMemory memory) {
        ByteBuf payload = memory.take(0, (int) length);
        buffer = payload;
        return payload;
    }

    void payloadArrived() {
        if (buffer != null) {
            data = buffer.internalNioBuffer(0, (int) length);
        }
    }

    /** Makes room for what the request yields. */
    void allocateResult(PayloadMemory memory) {
        if (op == Op.READ) {
            buffer = memory.take(HEADROOM, (int) length);
            data = buffer.internalNioBuffer(HEADROOM, (int) length);
        } else if (op == Op.BLOCK_STATUS) {
            extents = new Extents(MAX_EXTENTS);
        }
    }

    /**
     * Hands over the buffer that a READ has filled, or null when the engine left a part of it
     * unfilled.
     */
    @Nullable ByteBuf takeData() {
        ByteBuf filled = buffer;
        if (filled == null || data == null || data.hasRemaining()) {
            return null;
        }
        buffer = null;
        data = null;
        return filled;
    }

    /** Gives back all memory that it still holds. */
    void releaseMemory() {
        ByteBuffer view = data;
        if (block != null && view != null) {
            block.takeBack(view);
        }
        if (buffer != null) {
            buffer.release();
        }
        block = null;
        buffer = null;
        data = null;
        extents = null;
    }

    @Override
    protected void payloadTaken() {
        if (op == Op.WRITE) {
            releaseMemory();
            owner.payloadTaken(this);
        }
    }

    @Override
    protected void completed(Outcome outcome) {
        owner.completed(this, outcome);
    }
}
