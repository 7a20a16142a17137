// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.peer;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.port.PeerAcceptor;
import storage.mars.engine.server.io.ShardGroup;

/**
 * Accepts connections of other engines. Those that have not sent their first message are bounded in
 * number, time and bytes; nothing that they do disturbs any other connection.
 */
public final class PeerServer {

    private static final Logger LOGGER = LoggerFactory.getLogger(PeerServer.class);

    private final Limits limits;
    private final PeerAcceptor acceptor;
    private final AtomicInteger greeting = new AtomicInteger();
    private @Nullable Channel listener;

    private PeerServer(Limits limits, PeerAcceptor acceptor) {
        this.limits = limits;
        this.acceptor = acceptor;
    }

    /** Listens at {@code address}; fails when it is taken or not an address of this machine. */
    public static PeerServer start(
            InetSocketAddress address, ShardGroup shards, PeerAcceptor acceptor, Limits limits)
            throws IOException {
        PeerServer server = new PeerServer(limits, acceptor);
        ChannelFuture bound =
                PeerPipeline.server()
                        .group(shards.eventLoops())
                        .childHandler(server.new Initializer())
                        .bind(address)
                        .awaitUninterruptibly();
        if (bound.cause() != null) {
            throw new IOException(
                    "cannot listen at " + words(address) + ": " + bound.cause().getMessage(),
                    bound.cause());
        }
        server.listener = bound.channel();
        return server;
    }

    /** Where it listens. */
    public InetSocketAddress address() {
        return (InetSocketAddress) Objects.requireNonNull(listener).localAddress();
    }

    /** Accepts no more; links that stand are not touched. */
    public void stop() {
        if (listener != null) {
            listener.close().awaitUninterruptibly(Duration.ofSeconds(2).toMillis());
        }
    }

    static String words(@Nullable SocketAddress address) {
        if (address instanceof InetSocketAddress internet && internet.getAddress() != null) {
            String host = internet.getAddress().getHostAddress();
            return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + internet.getPort();
        }
        return String.valueOf(address);
    }

    /** What connections may take before their first message is complete. */
    public record Limits(int connections, int firstMessageBytes, Duration time) {

        /** 256 connections, 256 KiB each, 10 seconds. */
        public static Limits standard() {
            return new Limits(256, 256 << 10, Duration.ofSeconds(10));
        }
    }

    private final class Initializer extends ChannelInitializer<Channel> {

        @Override
        protected void initChannel(Channel channel) {
            if (greeting.incrementAndGet() > limits.connections()) {
                greeting.decrementAndGet();
                LOGGER.debug("Connection of {} is ended: too many wait", channel.remoteAddress());
                var _ = channel.close();
                return;
            }
            MessageDecoder decoder = new MessageDecoder(limits.firstMessageBytes());
            PeerGreeting conversation =
                    new PeerGreeting(
                            acceptor, decoder, limits.time().toMillis(), greeting::decrementAndGet);
            PeerPipeline.assemble(channel, decoder, conversation);
        }
    }
}
