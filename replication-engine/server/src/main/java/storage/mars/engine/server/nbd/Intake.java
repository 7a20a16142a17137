// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.channel.Channel;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.export.Attachment;

/**
 * The way in: takes what was read, decodes, checks, reserves memory and submits, until the stream
 * is starved or a bound is met; then the connection is not read until the bound has room again.
 * Used on the shard.
 */
final class Intake implements PayloadBudget.Waiter {

    /** Too much of this connection is in flight. */
    static final int LOAD = 1;

    /** The shard has no memory for the next request. */
    static final int MEMORY = 2;

    /** The client does not take its replies. */
    static final int OUTBOUND = 4;

    /** What only the connection can decide. */
    interface Session {

        /** The client has said goodbye: nothing after this is read. */
        void farewell();

        /** What comes is not NBD: the connection ends at once. */
        void violated(String how);

        /** Everything that had been read before {@link #drain} is submitted. */
        void drained();

        /**
         * A pause is over; whoever has ended meanwhile has to be closed before anything is
         * admitted.
         */
        void checkAlive();
    }

    private final Channel channel;
    private final Session session;
    private final NbdLimits.Requests limits;
    private final PayloadMemory payloads;
    private final RequestDecoder decoder;
    private final RequestRules rules;
    private final RequestSlots slots;
    private final ReplyWriter writer;
    private final PayloadBudget budget;
    private final PayloadBudget.Share share;
    private @Nullable Attachment attachment;
    private int pauses;
    private int refusal;
    private long wanted;
    private boolean granted;
    private boolean pumping;
    private boolean draining;
    private boolean closed;

    Intake(TransmissionParts parts, Session session, Answers answers) {
        this.channel = parts.channel();
        this.session = session;
        this.limits = parts.limits().requests();
        this.payloads = parts.memory().payloads();
        this.decoder = new RequestDecoder(parts.inbound(), payloads);
        this.rules = new RequestRules(parts.export(), parts.negotiated(), limits.payloadBytes());
        this.slots = answers.slots();
        this.writer = answers.writer();
        this.budget = parts.memory().budget();
        this.share = parts.share();
    }

    void open(Attachment target) {
        attachment = target;
    }

    void received(ReceiveBlock block) {
        if (closed) {
            block.release();
        } else {
            decoder.received(block);
        }
    }

    /** Submits what there is. */
    void pump() {
        if (pumping) {
            return;
        }
        pumping = true;
        try {
            boolean more = true;
            while (more && pauses == 0 && !closed) {
                more = step();
            }
        } finally {
            pumping = false;
        }
    }

    private boolean step() {
        return switch (decoder.advance()) {
            case HEADER -> begin(decoder.header());
            case PAYLOAD -> {
                RequestSlot slot = decoder.takeSlot();
                slot.payloadArrived();
                submit(slot);
                yield true;
            }
            case DISCARDED -> {
                writer.error(decoder.header().cookie, refusal);
                yield true;
            }
            case STARVED -> {
                if (draining) {
                    session.drained();
                }
                yield false;
            }
            case BAD_MAGIC -> {
                session.violated("bad request magic");
                yield false;
            }
        };
    }

    /** Decides about a request whose header is complete; false when nothing follows for now. */
    private boolean begin(RequestHeader header) {
        if (header.type == Nbd.CMD_DISC) {
            session.farewell();
            return false;
        }
        int violation = rules.violation(header);
        if (violation != NbdErrors.NONE) {
            return refuse(header, violation);
        }
        if (header.length == 0 && header.type != Nbd.CMD_FLUSH) {
            writer.done(header.type, header.cookie);
            decoder.noPayload();
            return true;
        }
        long bytes = reservation(header);
        if (!admit(bytes)) {
            return false;
        }
        RequestSlot slot = slots.take();
        slot.begin(header, bytes);
        if (header.type == Nbd.CMD_WRITE) {
            decoder.payloadOf(slot);
        } else {
            decoder.noPayload();
            slot.allocateResult(payloads);
            submit(slot);
        }
        return true;
    }

    /** The payload of a refused WRITE is read and dropped, so that the stream stays in step. */
    private boolean refuse(RequestHeader header, int violation) {
        if (header.payloadLength() > limits.skippedBytes()) {
            session.violated("WRITE of " + header.length + " bytes");
            return false;
        }
        Attachment target = attachment;
        if (target != null) {
            target.refused();
        }
        refusal = violation;
        decoder.discardPayload();
        return true;
    }

    private static long reservation(RequestHeader header) {
        return switch (header.type) {
            case Nbd.CMD_READ, Nbd.CMD_WRITE -> header.length;
            case Nbd.CMD_BLOCK_STATUS -> RequestSlot.MAX_EXTENTS * 2L * Long.BYTES;
            default -> 0;
        };
    }

    private boolean admit(long bytes) {
        if (granted) {
            granted = false;
        } else if (!slots.admits(bytes)) {
            pause(LOAD);
            return false;
        } else {
            wanted = bytes;
            if (bytes > 0 && !budget.reserve(this)) {
                pause(MEMORY);
                return false;
            }
        }
        slots.charge(bytes);
        return true;
    }

    private void submit(RequestSlot slot) {
        Attachment target = attachment;
        if (target == null) {
            throw new IllegalStateException("nothing is attached");
        }
        target.submit(slot);
    }

    @Override
    public PayloadBudget.Share share() {
        return share;
    }

    @Override
    public long wanted() {
        return wanted;
    }

    @Override
    public void granted() {
        granted = true;
        resume(MEMORY);
    }

    /** Something has left: perhaps there is room again. */
    void relax() {
        if ((pauses & LOAD) != 0 && slots.relaxed()) {
            resume(LOAD);
        }
    }

    void pause(int reason) {
        pauses |= reason;
        channel.config().setAutoRead(false);
    }

    void resume(int reason) {
        if ((pauses & reason) == 0) {
            return;
        }
        pauses &= ~reason;
        if (pauses == 0) {
            session.checkAlive();
            pump();
            readOn();
        }
    }

    private void readOn() {
        if (pauses == 0 && !closed && !draining) {
            channel.config().setAutoRead(true);
        }
    }

    boolean paused() {
        return pauses != 0;
    }

    long backlog() {
        return decoder.backlog();
    }

    /** Whether the client owes the rest of a payload that we are ready to take. */
    boolean awaitsPayload() {
        return pauses == 0 && !closed && decoder.insidePayload();
    }

    void show(FarewellScan scan) {
        decoder.show(scan);
    }

    /** Reads no more, but still submits what was read completely. */
    void drain() {
        draining = true;
        channel.config().setAutoRead(false);
        pump();
    }

    /** Submits nothing any more. Hands out a request whose payload had not arrived. */
    @Nullable RequestSlot close() {
        if (closed) {
            return null;
        }
        closed = true;
        channel.config().setAutoRead(false);
        budget.forget(this);
        if (granted) {
            granted = false;
            budget.release(share, wanted);
        }
        return decoder.close();
    }
}
