// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import storage.mars.engine.export.Exports;

/**
 * Serves exports over NBD on any number of TCP and Unix sockets. Connections are accepted and
 * negotiate on the loops of {@code handshakes}; after GO each is served on the shard of its
 * resource. Callable from any thread.
 */
public final class NbdServer {

    /**
     * Names of the places in a connection's pipeline; {@link #TLS} stays empty until TLS is
     * configured.
     */
    static final String TLS = "tls";

    static final String HANDSHAKE = "handshake";
    static final String TRANSMISSION = "transmission";

    private static final int BACKLOG = 1024;
    private static final WriteBufferWaterMark WATERMARK =
            new WriteBufferWaterMark(512 << 10, 2 << 20);

    private final EventLoopGroup handshakes;
    private final ServerParts parts;
    private final List<Channel> listeners = new CopyOnWriteArrayList<>();

    public NbdServer(
            Exports exports,
            EventLoopGroup handshakes,
            ShardLoops loops,
            NbdLimits limits,
            ExportManners manners) {
        this.handshakes = handshakes;
        this.parts = new ServerParts(exports, loops, limits, manners);
    }

    /** Listens on a TCP address and returns it, with the port that port 0 became. */
    public InetSocketAddress listen(InetSocketAddress address) throws IOException {
        ServerBootstrap bootstrap =
                bootstrap(EpollServerSocketChannel.class)
                        .option(ChannelOption.SO_REUSEADDR, true)
                        .childOption(ChannelOption.TCP_NODELAY, true)
                        .childOption(ChannelOption.SO_KEEPALIVE, true)
                        .childOption(EpollChannelOption.TCP_KEEPIDLE, 30)
                        .childOption(EpollChannelOption.TCP_KEEPINTVL, 10)
                        .childOption(EpollChannelOption.TCP_KEEPCNT, 3)
                        .childOption(EpollChannelOption.TCP_USER_TIMEOUT, userTimeoutMillis());
        return (InetSocketAddress) bind(bootstrap, address).localAddress();
    }

    /**
     * Listens on a Unix socket that only this user may open; one that nobody serves any more is
     * replaced.
     */
    public void listen(Path socket) throws IOException {
        UnixSocketFile.clear(socket);
        bind(
                bootstrap(EpollServerDomainSocketChannel.class),
                new DomainSocketAddress(socket.toFile()));
        UnixSocketFile.restrict(socket);
    }

    private int userTimeoutMillis() {
        return (int) parts.limits().clients().stuck().toMillis();
    }

    private ServerBootstrap bootstrap(Class<? extends ServerChannel> type) {
        return new ServerBootstrap()
                .group(handshakes)
                .channel(type)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WATERMARK)
                .childHandler(
                        new ChannelInitializer<>() {
                            @Override
                            protected void initChannel(Channel channel) {
                                accept(channel);
                            }
                        });
    }

    private Channel bind(ServerBootstrap bootstrap, SocketAddress address) throws IOException {
        var bound = bootstrap.bind(address).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IOException("NBD cannot listen on " + address, bound.cause());
        }
        listeners.add(bound.channel());
        return bound.channel();
    }

    private void accept(Channel channel) {
        if (!parts.connections().admit(channel)) {
            Channels.close(channel);
            return;
        }
        // TLS, once configured, goes in front of the handshake under the name TLS.
        Inbound inbound = new Inbound();
        channel.config().setRecvByteBufAllocator(() -> inbound);
        channel.pipeline().addLast(HANDSHAKE, new Handshake(parts, channel, inbound));
    }

    /** Connections that are open now. */
    public int connections() {
        return parts.connections().size();
    }

    /**
     * Planned shutdown: accepts nobody, finishes and answers what was read, half-closes, waits
     * briefly for the clients and closes. Completes when no connection is left; after {@code limit}
     * the rest is cut off.
     */
    public CompletableFuture<Void> stop(Duration limit) {
        CompletableFuture<Void> quiet = new CompletableFuture<>();
        for (Channel listener : listeners) {
            Channels.close(listener);
            if (listener.localAddress() instanceof DomainSocketAddress unix) {
                UnixSocketFile.remove(Path.of(unix.path()));
            }
        }
        parts.connections().stop(() -> quiet.complete(null));
        for (Channel channel : parts.connections().all()) {
            channel.pipeline().fireUserEventTriggered(ServerStopping.EVENT);
        }
        return quiet.completeOnTimeout(null, limit.toNanos(), TimeUnit.NANOSECONDS)
                .thenCompose(done -> closeAll());
    }

    private CompletableFuture<Void> closeAll() {
        CompletableFuture<?>[] closed =
                parts.connections().all().stream()
                        .map(NbdServer::close)
                        .toArray(CompletableFuture[]::new);
        return CompletableFuture.allOf(closed).thenCompose(done -> releaseMemory());
    }

    private static CompletableFuture<Void> close(Channel channel) {
        CompletableFuture<Void> closed = new CompletableFuture<>();
        channel.closeFuture().addListener(done -> closed.complete(null));
        Channels.close(channel);
        return closed;
    }

    private CompletableFuture<Void> releaseMemory() {
        CompletableFuture<?>[] released =
                parts.memories().entrySet().stream()
                        .map(entry ->
                                CompletableFuture.runAsync(
                                        () -> entry.getValue().close(), entry.getKey()))
                        .toArray(CompletableFuture[]::new);
        return CompletableFuture.allOf(released);
    }
}
