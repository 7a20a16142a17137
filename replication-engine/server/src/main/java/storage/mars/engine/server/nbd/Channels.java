// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.unix.UnixChannel;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What is asked of a connection's channel without waiting for it: a failure shows in the pipeline
 * or as the end of the connection. Callable from any thread.
 */
@SuppressWarnings("FutureReturnValueIgnored")
final class Channels {

    private Channels() {}

    static String nameOf(Channel channel) {
        return channel.remoteAddress() instanceof InetSocketAddress inet
                ? inet.getAddress().getHostAddress() + ":" + inet.getPort()
                : "unix socket";
    }

    /** The address that a limit counts by; null for local clients. */
    static @Nullable String addressOf(Channel channel) {
        return channel.remoteAddress() instanceof InetSocketAddress inet
                ? inet.getAddress().getHostAddress()
                : null;
    }

    static int descriptorOf(Channel channel) {
        return ((UnixChannel) channel).fd().intValue();
    }

    static void write(Channel channel, ByteBuf bytes) {
        channel.write(bytes, channel.voidPromise());
    }

    static void close(Channel channel) {
        channel.close();
    }

    static void closeAfter(Channel channel, Duration time) {
        Runnable close = channel::close;
        var timer = channel.eventLoop().schedule(close, time.toNanos(), TimeUnit.NANOSECONDS);
        channel.closeFuture().addListener(closed -> timer.cancel(false));
    }

    /** Closes once everything that was written has left. */
    static void closeAfterFlush(Channel channel) {
        channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
    }

    static void closeOutput(Channel channel) {
        ((DuplexChannel) channel).shutdownOutput();
    }
}
