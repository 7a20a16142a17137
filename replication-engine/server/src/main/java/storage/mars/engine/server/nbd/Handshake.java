// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.ScheduledFuture;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection until GO: fixed newstyle negotiation. Runs on any event loop; a chosen export
 * moves it to the loop of its resource, where it stays in case that the export refuses.
 */
final class Handshake extends ChannelInboundHandlerAdapter {

    private static final Logger LOGGER = LoggerFactory.getLogger(Handshake.class);

    private enum Phase {
        NEGOTIATING,
        /** An export was chosen; what the client sends meanwhile waits. */
        ENTERING,
        /** The last answers leave, if the client takes them in time. */
        ENDING,
        DONE
    }

    private final ServerParts server;
    private final Inbound inbound;
    private final OptionDecoder decoder;
    private final Options options;
    private final ScheduledFuture<?> deadline;
    private volatile Phase phase = Phase.NEGOTIATING;
    private boolean inputEnded;

    /** Whether what was not decoded belongs to the transmission phase, or is released. */
    private boolean restIsGone;

    private int count;

    Handshake(ServerParts server, Channel channel, Inbound inbound) {
        this.server = server;
        this.inbound = inbound;
        this.decoder = new OptionDecoder(server.limits().options(), channel.alloc());
        this.options = new Options(server, channel, this::enter);
        this.deadline =
                channel.eventLoop()
                        .schedule(
                                () -> expire(channel),
                                server.limits().options().time().toNanos(),
                                TimeUnit.NANOSECONDS);
    }

    private void expire(Channel channel) {
        if (phase != Phase.DONE) {
            Channels.close(channel);
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        options.replies().greeting();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (phase == Phase.ENDING || phase == Phase.DONE) {
            ReferenceCountUtil.release(message);
            return;
        }
        decoder.received((ByteBuf) message);
        negotiate(context.channel());
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        context.flush();
    }

    /** Who takes no answers is not asked what else it wants. */
    private void negotiate(Channel channel) {
        while (phase == Phase.NEGOTIATING) {
            if (!channel.isWritable()) {
                channel.config().setAutoRead(false);
                return;
            }
            Received received = decoder.next();
            if (received == null) {
                if (inputEnded) {
                    end(channel);
                }
                return;
            }
            if (!understood(received)) {
                end(channel);
            }
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (phase == Phase.NEGOTIATING && context.channel().isWritable()) {
            goOn(context.channel());
        }
    }

    private void goOn(Channel channel) {
        channel.config().setAutoRead(true);
        negotiate(channel);
        channel.flush();
    }

    /** False when the connection has to end. */
    private boolean understood(Received received) {
        return switch (received) {
            case Received.ClientFlags client -> options.clientFlags(client.flags());
            case Received.Option option -> withinCount() && options.answer(option);
            case Received.SkippedOption option -> withinCount() && options.tooLong(option.id());
            case Received.Garbage garbage -> {
                LOGGER.debug("Ending a handshake: {}", garbage.what());
                yield false;
            }
        };
    }

    private boolean withinCount() {
        count++;
        return count <= server.limits().options().count();
    }

    /** Answers leave before the end. */
    private void end(Channel channel) {
        phase = Phase.ENDING;
        Channels.closeAfterFlush(channel);
    }

    private void enter(ExportEntry entry) {
        phase = Phase.ENTERING;
        Channel channel = entry.channel();
        channel.config().setAutoRead(false);
        channel.flush();
        ShardMove.move(
                channel,
                inbound,
                server.loops().loopOf(entry.target().shard()),
                () -> entered(entry),
                this::release);
    }

    private void entered(ExportEntry entry) {
        Channel channel = entry.channel();
        if (!channel.isActive()) {
            return;
        }
        Transmission transmission = entry.attach(inbound);
        if (transmission != null) {
            phase = Phase.DONE;
            deadline.cancel(false);
            restIsGone = true;
            entry.start(this, transmission, decoder.rest(), inputEnded);
        } else if (entry.hasToEnd()) {
            end(channel);
        } else {
            phase = Phase.NEGOTIATING;
            goOn(channel);
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event == ChannelInputShutdownEvent.INSTANCE) {
            inputEnded = true;
            if (phase == Phase.NEGOTIATING && context.channel().isWritable()) {
                end(context.channel());
            }
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (!(cause instanceof IOException)) {
            LOGGER.error("Ending a handshake with " + Channels.nameOf(context.channel()), cause);
        }
        Channels.close(context.channel());
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        phase = Phase.DONE;
        deadline.cancel(false);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        release();
    }

    /** The end: may be met twice, by a channel that is lost on its way between two loops. */
    private void release() {
        if (!restIsGone) {
            restIsGone = true;
            phase = Phase.DONE;
            deadline.cancel(false);
            ReferenceCountUtil.release(decoder.rest());
        }
    }
}
