// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.export.Extents;
import storage.mars.engine.export.Outcome;

/**
 * The way out: turns outcomes into replies and gives slots and memory back. Memory of replies
 * counts until the socket has taken them. Used on the shard.
 */
final class Answers implements RequestSlot.Owner {

    private static final Logger LOGGER = LoggerFactory.getLogger(Answers.class);

    /** What only the connection can decide. */
    interface Session {

        /** The export has closed under a request: there is no answer, the connection ends. */
        void exportClosed();

        /** There is something to send when this batch of completions is over. */
        void scheduleEndOfTurn();
    }

    private final Channel channel;
    private final String export;
    private final PayloadBudget budget;
    private final PayloadBudget.Share share;
    private final RequestSlots slots;
    private final ReplyWriter writer;
    private final Session session;
    private long unsentBytes;
    private boolean ended;

    Answers(TransmissionParts parts, Session session) {
        this.channel = parts.channel();
        this.export = parts.export().name();
        this.budget = parts.memory().budget();
        this.share = parts.share();
        this.slots = new RequestSlots(parts.limits().requests(), this);
        this.writer = new ReplyWriter(channel, parts.negotiated().structuredReplies());
        this.session = session;
    }

    RequestSlots slots() {
        return slots;
    }

    ReplyWriter writer() {
        return writer;
    }

    @Override
    public void payloadTaken(RequestSlot slot) {
        unreserve(slot);
    }

    /** Without memory for an answer the connection ends; who has completed it hears nothing. */
    @Override
    public void completed(RequestSlot slot, Outcome outcome) {
        try {
            if (!ended) {
                reply(slot, outcome);
                session.scheduleEndOfTurn();
            }
        } catch (RuntimeException | OutOfMemoryError e) {
            channel.pipeline().fireExceptionCaught(e);
        } finally {
            recycle(slot);
        }
    }

    private void reply(RequestSlot slot, Outcome outcome) {
        if (outcome == Outcome.CLOSED) {
            session.exportClosed();
        } else if (outcome == Outcome.OK) {
            answer(slot);
        } else {
            writer.error(slot.cookie, NbdErrors.codeOf(outcome));
        }
    }

    private void answer(RequestSlot slot) {
        Extents extents = slot.extents;
        if (extents != null) {
            writer.extents(slot, extents);
        } else if (slot.type != Nbd.CMD_READ) {
            writer.done(slot.type, slot.cookie);
        } else {
            data(slot);
        }
    }

    /** A buffer that was not filled holds other clients' data: it never leaves. */
    private void data(RequestSlot slot) {
        ByteBuf data = slot.takeData();
        if (data == null) {
            LOGGER.error("A read of {} was completed without all of its data", export);
            writer.error(slot.cookie, NbdErrors.EIO);
            return;
        }
        unsentBytes += slot.reserved;
        slot.reserved = 0;
        writer.data(slot, data);
    }

    /** The slot is free again, and so is what it holds. */
    void recycle(RequestSlot slot) {
        slot.releaseMemory();
        unreserve(slot);
        slots.giveBack(slot);
    }

    /** Sends the batch. */
    void flush() {
        writer.flush();
        if (writer.isAllTaken()) {
            forgetUnsent();
        } else if (unsentBytes > 0) {
            forgetOnceTaken(unsentBytes);
            unsentBytes = 0;
        }
    }

    /** Also when the connection ends, which frees them. */
    private void forgetOnceTaken(long bytes) {
        channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(taken -> discharge(bytes));
    }

    /** Nobody reads answers any more; what completes later is only recycled. */
    void end() {
        ended = true;
        forgetUnsent();
        writer.close();
    }

    private void forgetUnsent() {
        long bytes = unsentBytes;
        unsentBytes = 0;
        discharge(bytes);
    }

    private void unreserve(RequestSlot slot) {
        discharge(slot.reserved);
        slot.reserved = 0;
    }

    private void discharge(long bytes) {
        if (bytes > 0) {
            slots.discharge(bytes);
            budget.release(share, bytes);
        }
    }
}
