// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.peer;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelOption;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import java.util.Map;

/**
 * What every connection between engines consists of, from the socket inwards: security (empty on
 * plain TCP; a TLS handler goes first, by the name {@link #SECURITY}), messages, conversation.
 */
final class PeerPipeline {

    /** The place of the TLS handler: before {@link #MESSAGES}. */
    static final String SECURITY = "security";

    static final String MESSAGES = "messages";
    static final String CONVERSATION = "conversation";

    private static final WriteBufferWaterMark WATER_MARK =
            new WriteBufferWaterMark(1 << 20, 2 << 20);

    /** A silent or unreachable peer is noticed in about 15 s, whether or not data is under way. */
    private static final Map<ChannelOption<Integer>, Integer> LIVENESS =
            Map.of(
                    EpollChannelOption.TCP_USER_TIMEOUT, 15_000,
                    EpollChannelOption.TCP_KEEPIDLE, 5,
                    EpollChannelOption.TCP_KEEPINTVL, 5,
                    EpollChannelOption.TCP_KEEPCNT, 2);

    private PeerPipeline() {}

    static Bootstrap client(int connectMillis) {
        Bootstrap bootstrap =
                new Bootstrap()
                        .channel(EpollSocketChannel.class)
                        .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, connectMillis)
                        .option(ChannelOption.TCP_NODELAY, true)
                        .option(ChannelOption.SO_KEEPALIVE, true)
                        .option(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK);
        LIVENESS.forEach(bootstrap::option);
        return bootstrap;
    }

    static ServerBootstrap server() {
        ServerBootstrap bootstrap =
                new ServerBootstrap()
                        .channel(EpollServerSocketChannel.class)
                        .option(ChannelOption.SO_REUSEADDR, true)
                        .option(ChannelOption.SO_BACKLOG, 128)
                        .childOption(ChannelOption.TCP_NODELAY, true)
                        .childOption(ChannelOption.SO_KEEPALIVE, true)
                        .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK);
        LIVENESS.forEach(bootstrap::childOption);
        return bootstrap;
    }

    static void assemble(Channel channel, MessageDecoder decoder, ChannelHandler conversation) {
        channel.pipeline().addLast(MESSAGES, decoder).addLast(CONVERSATION, conversation);
    }
}
