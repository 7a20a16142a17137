// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.peer;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.port.PeerLink;

/**
 * A TCP connection to another engine, on the event loop of its shard. What is sent within one task
 * of the shard goes out with one flush.
 */
final class NettyPeerLink extends ChannelInboundHandlerAdapter implements PeerLink {

    private static final Logger LOGGER = LoggerFactory.getLogger(NettyPeerLink.class);
    private static final long LAST_WORDS_MILLIS = 2_000;

    private final Channel channel;
    private final String remote;
    private final Runnable flush = this::flush;
    private @Nullable Receiver receiver;
    private @Nullable String reason;
    private boolean flushing;
    private boolean closing;

    NettyPeerLink(Channel channel, String remote) {
        this.channel = channel;
        this.remote = remote;
    }

    /** Says who is told about this link, before anything has happened on it. */
    void receiver(Receiver told) {
        receiver = told;
    }

    @Override
    public void send(ByteBuffer message) {
        if (closing || !channel.isActive()) {
            return;
        }
        int length = message.remaining();
        if (length > MessageDecoder.MAX_MESSAGE) {
            throw new IllegalArgumentException("a message of " + length + " bytes");
        }
        ByteBuf frame = channel.alloc().directBuffer(MessageDecoder.LENGTH_BYTES + length);
        frame.writeIntLE(length).writeBytes(message);
        var _ = channel.write(frame, channel.voidPromise());
        if (!flushing) {
            flushing = true;
            channel.eventLoop().execute(flush);
        }
    }

    @Override
    public boolean isWritable() {
        return channel.isWritable();
    }

    /** Sends what waits, for a bounded time, and ends; nothing is received any more. */
    @Override
    public void close() {
        if (!closing) {
            end("closed by this engine");
            var _ =
                    channel.writeAndFlush(Unpooled.EMPTY_BUFFER)
                            .addListener(ChannelFutureListener.CLOSE);
            var _ =
                    channel.eventLoop()
                            .schedule(this::closeNow, LAST_WORDS_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    @Override
    public String remote() {
        return remote;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf frame = (ByteBuf) message;
        try {
            if (!closing && receiver != null) {
                receiver.received(frame.nioBuffer());
            }
        } finally {
            frame.release();
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (channel.isWritable() && !closing && receiver != null) {
            receiver.writable();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        end("closed by the other side");
        Receiver told = receiver;
        receiver = null;
        if (told != null) {
            told.closed(String.valueOf(reason));
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (PeerFailures.isExpected(cause)) {
            LOGGER.debug("Link with {} ends: {}", remote, PeerFailures.words(cause));
        } else {
            LOGGER.error("Link with {} ends by an unexpected failure", remote, cause);
        }
        end(PeerFailures.words(cause));
        closeNow();
    }

    private void closeNow() {
        var _ = channel.close();
    }

    private void end(String why) {
        closing = true;
        if (reason == null) {
            reason = why;
        }
    }

    private void flush() {
        flushing = false;
        channel.flush();
    }
}
