// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.control;

import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.epoll.EpollEventLoopGroup;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import storage.mars.engine.server.config.EngineSettings;
import storage.mars.engine.server.host.Replicas;

/**
 * Serves the control API, all of it on one thread that never blocks. Begins when the engine can
 * answer and ends before anything of it stops, which is why it is no part of Quarkus.
 */
public final class ControlServer {

    private static final int MAX_MESSAGE = 1 << 20;
    private static final int CALLS_PER_CONNECTION = 64;

    private final EventLoopGroup group;
    private final Server server;

    private ControlServer(EventLoopGroup group, Server server) {
        this.group = group;
        this.server = server;
    }

    /**
     * Listens at the control address of {@code settings}, for the engine {@code id}; fails when the
     * address cannot be had.
     */
    public static ControlServer start(EngineSettings settings, String id, Replicas replicas)
            throws IOException {
        EventLoopGroup group =
                new EpollEventLoopGroup(1, new DefaultThreadFactory("mars-control", true));
        EventLoop thread = group.next();
        InetSocketAddress address =
                new InetSocketAddress(settings.control().host(), settings.control().port());
        Server server =
                NettyServerBuilder.forAddress(address)
                        .channelType(EpollServerSocketChannel.class)
                        .bossEventLoopGroup(group)
                        .workerEventLoopGroup(group)
                        .directExecutor()
                        .maxInboundMessageSize(MAX_MESSAGE)
                        .maxConcurrentCallsPerConnection(CALLS_PER_CONNECTION)
                        .keepAliveTime(30, TimeUnit.SECONDS)
                        .keepAliveTimeout(10, TimeUnit.SECONDS)
                        .permitKeepAliveTime(5, TimeUnit.SECONDS)
                        .permitKeepAliveWithoutCalls(true)
                        .addService(new ControlService(settings, id, replicas, thread))
                        .build();
        try {
            return new ControlServer(group, server.start());
        } catch (IOException e) {
            var _ = group.shutdownGracefully(0, 0, TimeUnit.SECONDS);
            throw e;
        }
    }

    /**
     * Takes no more calls, gives those under way a moment, then ends; whether all ended in time.
     */
    public boolean stop(Duration limit) {
        boolean ended = false;
        try {
            ended = server.shutdown().awaitTermination(limit.toMillis(), TimeUnit.MILLISECONDS);
            if (!ended) {
                ended = server.shutdownNow().awaitTermination(1, TimeUnit.SECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(1500) && ended;
    }
}
