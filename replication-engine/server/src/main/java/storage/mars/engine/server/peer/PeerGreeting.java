// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.peer;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.port.PeerAcceptor;
import storage.mars.engine.port.Shard;
import storage.mars.engine.server.io.NettyShard;

/**
 * A connection that was accepted and has not said yet what it wants: waits for its first message,
 * for a bounded time, and hands it to the shard that the message is for.
 */
final class PeerGreeting extends ChannelInboundHandlerAdapter {

    private static final Logger LOGGER = LoggerFactory.getLogger(PeerGreeting.class);

    private final PeerAcceptor acceptor;
    private final MessageDecoder decoder;
    private final long limitMillis;
    private final Runnable over;
    private @Nullable ScheduledFuture<?> limit;

    PeerGreeting(PeerAcceptor acceptor, MessageDecoder decoder, long limitMillis, Runnable over) {
        this.acceptor = acceptor;
        this.decoder = decoder;
        this.limitMillis = limitMillis;
        this.over = over;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        limit =
                context.executor()
                        .schedule(
                                () -> refuse(context.channel(), "it said nothing in time"),
                                limitMillis,
                                TimeUnit.MILLISECONDS);
    }

    /** Replaced by a link, or the connection has ended. */
    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        cancelLimit();
        over.run();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf first = (ByteBuf) message;
        cancelLimit();
        decoder.pause();
        context.channel().config().setAutoRead(false);
        Shard shard = acceptor.shardFor(first.nioBuffer());
        if (shard instanceof NettyShard owner) {
            move(context.channel(), owner.eventLoop(), first);
        } else {
            first.release();
            refuse(context.channel(), "its first message begins no conversation known here");
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (!PeerFailures.isExpected(cause)) {
            LOGGER.error("The first message of a peer failed", cause);
        }
        refuse(context.channel(), PeerFailures.words(cause));
    }

    private void move(Channel channel, EventLoop target, ByteBuf first) {
        if (target.inEventLoop()) {
            handOver(channel, first);
            return;
        }
        var _ =
                channel.deregister()
                        .addListener((ChannelFuture left) ->
                                target.register(channel)
                                        .addListener(
                                                (ChannelFuture joined) -> moved(joined, first)));
    }

    private void moved(ChannelFuture joined, ByteBuf first) {
        if (joined.isSuccess()) {
            handOver(joined.channel(), first);
        } else {
            first.release();
            var _ = joined.channel().close();
        }
    }

    /** On the owning shard: the link takes this handler's place and gets the first message. */
    private void handOver(Channel channel, ByteBuf first) {
        if (!channel.isActive()) {
            first.release();
            return;
        }
        NettyPeerLink link = new NettyPeerLink(channel, remote(channel));
        channel.pipeline().replace(this, PeerPipeline.CONVERSATION, link);
        decoder.limit(MessageDecoder.MAX_MESSAGE);
        ChannelHandlerContext own = channel.pipeline().context(decoder);
        try {
            link.receiver(acceptor.accepted(link));
            own.fireChannelRead(first);
            decoder.resume(own);
            channel.config().setAutoRead(true);
        } catch (RuntimeException e) {
            own.fireExceptionCaught(e);
        }
    }

    private void cancelLimit() {
        if (limit != null) {
            limit.cancel(false);
        }
    }

    private static void refuse(Channel channel, String why) {
        LOGGER.debug("Connection of {} is ended: {}", remote(channel), why);
        var _ = channel.close();
    }

    private static String remote(Channel channel) {
        return PeerServer.words(channel.remoteAddress());
    }
}
