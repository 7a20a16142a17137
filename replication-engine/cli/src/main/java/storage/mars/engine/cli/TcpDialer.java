// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.util.concurrent.TimeUnit;

/**
 * Reaches engines over TCP; the place where credentials are chosen. Has an event loop of its own so
 * that it can be stopped: a JVM that exits waits 300 ms for one that still polls.
 */
final class TcpDialer implements EngineDialer, AutoCloseable {

    private final EventLoopGroup loop = new NioEventLoopGroup(1);

    @Override
    public ManagedChannel dial(EngineAddress address) {
        return NettyChannelBuilder.forAddress(
                        address.host(), address.port(), InsecureChannelCredentials.create())
                .eventLoopGroup(loop)
                .channelType(NioSocketChannel.class)
                .build();
    }

    @Override
    public void close() {
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
    }
}
