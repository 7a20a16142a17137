// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.export.Attachment;
import storage.mars.engine.export.AttachmentListener;

/**
 * One connection after GO: bytes go to the {@link Intake}, outcomes come back as replies, and every
 * way of ending is decided here. All of it runs on the shard of the resource.
 */
final class Transmission extends ChannelInboundHandlerAdapter
        implements AttachmentListener, Intake.Session, Answers.Session {

    private static final Logger LOGGER = LoggerFactory.getLogger(Transmission.class);

    /** What the transport may read of a paused connection that has ended. */
    private static final long MAX_BACKLOG = 8L << 20;

    private enum Phase {
        SERVING,
        /** Nothing is taken any more; what was taken is answered. */
        ANSWERING,
        /** Everything is answered and our end is closed; the client's is awaited. */
        LINGERING,
        ENDED
    }

    private final Channel channel;
    private final Inbound inbound;
    private final NbdLimits.Clients limits;
    private final ShardMemory memory;
    private final PayloadBudget.Share share;
    private final String export;
    private final Answers answers;
    private final Intake intake;
    private final StuckPeerWatch watch;
    private final Runnable endTurn = this::endTurn;
    private @Nullable Attachment attachment;
    private Phase phase = Phase.SERVING;
    private boolean farewell;
    private boolean inputEnded;
    private boolean inTurn;
    private boolean turnScheduled;

    Transmission(TransmissionParts parts) {
        channel = parts.channel();
        inbound = parts.inbound();
        limits = parts.limits().clients();
        memory = parts.memory();
        share = parts.share();
        export = parts.export().name();
        answers = new Answers(parts, this);
        intake = new Intake(parts, this, answers);
        watch =
                new StuckPeerWatch(
                        channel.eventLoop(),
                        limits.stuck().toNanos(),
                        () -> !answers.writer().isAllTaken() || intake.awaitsPayload(),
                        () -> answers.writer().progress() + inbound.received(),
                        () -> violated("takes or sends nothing"));
    }

    /**
     * Begins with what was read behind GO; {@code ended} when the client has sent all it ever will.
     */
    void start(Attachment target, ByteBuf pipelined, boolean ended) {
        attachment = target;
        intake.open(target);
        inbound.transmit(memory.blocks());
        channel.config().setAutoRead(phase == Phase.SERVING);
        inTurn = true;
        intake.received(ReceiveBlock.wrapping(pipelined));
        intake.pump();
        inTurn = false;
        if (ended) {
            inputEnded();
        }
        endTurn();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        inTurn = true;
        ReceiveBlock block = inbound.claim((ByteBuf) message);
        if (block != null) {
            intake.received(block);
        }
        intake.pump();
        if (intake.paused() && intake.backlog() > MAX_BACKLOG) {
            violated("ended with more than can be kept");
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        inbound.idle();
        inTurn = false;
        endTurn();
    }

    /** Completions come in batches: their replies leave together when the batch is over. */
    @Override
    public void scheduleEndOfTurn() {
        if (!inTurn && !turnScheduled) {
            turnScheduled = true;
            channel.eventLoop().execute(endTurn);
        }
    }

    private void endTurn() {
        turnScheduled = false;
        if (phase == Phase.ENDED) {
            return;
        }
        answers.flush();
        intake.relax();
        watch.check();
        if (phase == Phase.ANSWERING && answers.slots().inFlight() == 0) {
            answers.flush();
            halfClose();
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (!channel.isWritable()) {
            intake.pause(Intake.OUTBOUND);
            watch.check();
        } else {
            intake.resume(Intake.OUTBOUND);
            scheduleEndOfTurn();
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event == ChannelInputShutdownEvent.INSTANCE) {
            inputEnded();
        } else if (event == ServerStopping.EVENT && phase == Phase.SERVING) {
            intake.drain();
        }
    }

    /** Who says no farewell may still read what is answered already, and waits for nothing else. */
    private void inputEnded() {
        inputEnded = true;
        switch (phase) {
            case SERVING -> {
                FarewellScan scan = new FarewellScan();
                intake.show(scan);
                if (!scan.found()) {
                    answers.flush();
                    clientGone();
                }
            }
            case ANSWERING -> {
                if (!farewell) {
                    clientGone();
                }
            }
            case LINGERING -> Channels.close(channel);
            case ENDED -> {}
        }
    }

    @Override
    public void checkAlive() {
        boolean mayBeGone = phase == Phase.SERVING || (phase == Phase.ANSWERING && !farewell);
        if (!mayBeGone || !channel.isOpen()) {
            return;
        }
        int fd = Channels.descriptorOf(channel);
        if (memory.probe().peerHasEnded(fd)) {
            FarewellScan scan = new FarewellScan();
            intake.show(scan);
            memory.probe().peek(fd, memory.peeked());
            scan.look(memory.peeked());
            if (phase == Phase.ANSWERING || !scan.found()) {
                clientGone();
            }
        }
    }

    @Override
    public void exportClosing(String reason) {
        LOGGER.debug("{} closes: {}", export, reason);
        finish();
    }

    @Override
    public void farewell() {
        farewell = true;
        finish();
    }

    @Override
    public void drained() {
        finish();
    }

    @Override
    public void exportClosed() {
        finish();
    }

    @Override
    public void violated(String how) {
        LOGGER.info(
                "Closing a connection to {} from {}: {}", export, Channels.nameOf(channel), how);
        clientGone();
    }

    private void finish() {
        if (phase == Phase.SERVING) {
            phase = Phase.ANSWERING;
            abandonUnfinished();
            scheduleEndOfTurn();
        }
    }

    private void abandonUnfinished() {
        RequestSlot unfinished = intake.close();
        if (unfinished != null) {
            answers.recycle(unfinished);
        }
    }

    private void halfClose() {
        phase = Phase.LINGERING;
        detach();
        Channels.closeAfter(channel, limits.stuck());
        channel.writeAndFlush(Unpooled.EMPTY_BUFFER)
                .addListener(sent -> {
                    if (!sent.isSuccess() || inputEnded) {
                        Channels.close(channel);
                        return;
                    }
                    Channels.closeOutput(channel);
                    channel.config().setAutoRead(true);
                    Channels.closeAfter(channel, limits.farewell());
                });
    }

    /** Drops everything of this client that is not admitted. */
    private void clientGone() {
        if (phase == Phase.ENDED) {
            return;
        }
        phase = Phase.ENDED;
        abandonUnfinished();
        detach();
        watch.stop();
        answers.end();
        inbound.idle();
        memory.budget().leave(export, share);
        Channels.close(channel);
    }

    private void detach() {
        if (attachment != null) {
            attachment.close();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        clientGone();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (cause instanceof IOException) {
            LOGGER.debug("Connection to {} lost: {}", export, cause.toString());
        } else {
            LOGGER.error("Closing a connection to " + export, cause);
        }
        clientGone();
    }
}
