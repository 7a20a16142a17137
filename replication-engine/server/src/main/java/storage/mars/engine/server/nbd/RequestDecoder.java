// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Cuts the stream of the transmission phase into requests. It holds the blocks that were read and
 * not decoded yet, and stops after every header until it is told what becomes of the payload.
 * Payloads that lie in one block stay there; others are gathered in a buffer of their own. Used on
 * the shard.
 */
final class RequestDecoder {

    /** What {@link #advance} has come to. */
    enum Step {
        /** More bytes are needed. */
        STARVED,
        /** {@link #header} is complete and waits for a decision. */
        HEADER,
        /** The slot's payload is complete. */
        PAYLOAD,
        /** The refused payload has gone by. */
        DISCARDED,
        /** No request begins here: nothing after this can be understood. */
        BAD_MAGIC
    }

    private enum State {
        HEADER,
        DECISION,
        PAYLOAD,
        DISCARD
    }

    private final Inbound inbound;
    private final PayloadMemory payloads;
    private final ArrayDeque<ReceiveBlock> blocks = new ArrayDeque<>();
    private final ByteBuffer partial = ByteBuffer.allocate(Nbd.REQUEST_BYTES);
    private final RequestHeader header = new RequestHeader();
    private State state = State.HEADER;
    private @Nullable RequestSlot slot;
    private @Nullable ByteBuf payload;
    private long discard;

    RequestDecoder(Inbound inbound, PayloadMemory payloads) {
        this.inbound = inbound;
        this.payloads = payloads;
    }

    RequestHeader header() {
        return header;
    }

    /** Takes over the caller's hold. */
    void received(ReceiveBlock block) {
        blocks.addLast(block);
    }

    /** Bytes that wait here to be decoded. */
    long backlog() {
        long bytes = 0;
        for (ReceiveBlock block : blocks) {
            bytes += block.readable();
        }
        return bytes;
    }

    /** Whether the stream has stopped inside a payload. */
    boolean insidePayload() {
        return state == State.PAYLOAD || state == State.DISCARD;
    }

    Step advance() {
        return switch (state) {
            case HEADER -> nextHeader();
            case DECISION -> Step.HEADER;
            case PAYLOAD -> gather();
            case DISCARD -> skip();
        };
    }

    /** Decision: the header had no payload. */
    void noPayload() {
        state = State.HEADER;
    }

    /** Decision: the payload belongs to {@code request}. */
    void payloadOf(RequestSlot request) {
        slot = request;
        state = State.PAYLOAD;
        ReceiveBlock block = head();
        if (block != null && block.readable() >= request.length) {
            request.borrowPayload(block);
        } else {
            payload = request.allocatePayload(payloads);
        }
    }

    /** Decision: the payload is refused. */
    void discardPayload() {
        discard = header.payloadLength();
        state = State.DISCARD;
    }

    /** The slot that {@link Step#PAYLOAD} speaks of. */
    RequestSlot takeSlot() {
        RequestSlot complete = slot;
        if (complete == null) {
            throw new IllegalStateException("no payload is complete");
        }
        slot = null;
        return complete;
    }

    /** Forgets everything that was not submitted; the half-filled slot, if any, is the caller's. */
    @Nullable RequestSlot close() {
        inbound.readInto(null);
        payload = null;
        blocks.forEach(ReceiveBlock::release);
        blocks.clear();
        RequestSlot unfinished = slot;
        slot = null;
        state = State.HEADER;
        return unfinished;
    }

    /** Shows what waits here to a reader that only looks. */
    void show(FarewellScan scan) {
        switch (state) {
            case HEADER -> scan.look(partial.duplicate().flip());
            case DECISION -> scan.skip(header.payloadLength());
            case PAYLOAD -> scan.skip(payload == null ? 0 : payload.writableBytes());
            case DISCARD -> scan.skip(discard);
        }
        for (ReceiveBlock block : blocks) {
            scan.look(block.memory().nioBuffer());
        }
    }

    private Step nextHeader() {
        ReceiveBlock block = head();
        if (block == null) {
            return Step.STARVED;
        }
        ByteBuf bytes = block.memory();
        if (partial.position() == 0 && bytes.readableBytes() >= Nbd.REQUEST_BYTES) {
            header.parse(bytes, bytes.readerIndex());
            bytes.skipBytes(Nbd.REQUEST_BYTES);
        } else if (!completePartial()) {
            return Step.STARVED;
        }
        if (!header.hasMagic()) {
            return Step.BAD_MAGIC;
        }
        state = State.DECISION;
        return Step.HEADER;
    }

    private boolean completePartial() {
        for (ReceiveBlock block = head(); block != null; block = head()) {
            int wanted = Math.min(partial.remaining(), block.readable());
            block.memory().readBytes(partial.limit(partial.position() + wanted));
            partial.limit(Nbd.REQUEST_BYTES);
            if (!partial.hasRemaining()) {
                header.parse(partial);
                partial.clear();
                return true;
            }
        }
        return false;
    }

    private Step gather() {
        ByteBuf target = payload;
        if (target != null) {
            while (target.isWritable()) {
                ReceiveBlock block = head();
                if (block == null) {
                    inbound.readInto(target);
                    return Step.STARVED;
                }
                int count = Math.min(target.writableBytes(), block.readable());
                target.writeBytes(block.memory(), count);
            }
            inbound.readInto(null);
            payload = null;
        }
        state = State.HEADER;
        return Step.PAYLOAD;
    }

    private Step skip() {
        while (discard > 0) {
            ReceiveBlock block = head();
            if (block == null) {
                return Step.STARVED;
            }
            int count = (int) Math.min(discard, block.readable());
            block.memory().skipBytes(count);
            discard -= count;
        }
        state = State.HEADER;
        return Step.DISCARDED;
    }

    /** The first block with something in it; those before it are let go. */
    private @Nullable ReceiveBlock head() {
        ReceiveBlock block = blocks.peekFirst();
        while (block != null && block.readable() == 0) {
            blocks.removeFirst();
            block.release();
            block = blocks.peekFirst();
        }
        return block;
    }
}
