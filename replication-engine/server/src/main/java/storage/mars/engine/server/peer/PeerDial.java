// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.peer;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.concurrent.TimeUnit;
import storage.mars.engine.port.PeerNetwork.Dialer;
import storage.mars.engine.port.Shard;
import storage.mars.engine.server.config.HostPort;
import storage.mars.engine.server.io.NettyShard;

/**
 * One attempt to reach another engine: resolves the name off the shard (resolvers block), then
 * connects to its addresses in turn until one answers or the time is over. Shard only.
 */
final class PeerDial {

    private static final long LIMIT_MILLIS = 5_000;

    private final NettyShard shard;
    private final HostPort target;
    private final Dialer dialer;
    private final long start = System.nanoTime();
    private boolean answered;

    PeerDial(NettyShard shard, HostPort target, Dialer dialer) {
        this.shard = shard;
        this.target = target;
        this.dialer = dialer;
    }

    void start() {
        byte[] literal = NetUtil.createByteArrayFromIpAddressString(target.host());
        if (literal != null) {
            connectToLiteral(literal);
            return;
        }
        Shard.Timer limit =
                shard.schedule(
                        TimeUnit.MILLISECONDS.toNanos(LIMIT_MILLIS),
                        () -> fail("its name was not resolved in time"));
        Thread.startVirtualThread(() -> resolve(limit));
    }

    private void connectToLiteral(byte[] literal) {
        try {
            connect(new InetAddress[] {InetAddress.getByAddress(literal)}, 0);
        } catch (UnknownHostException e) {
            fail(PeerFailures.words(e));
        }
    }

    private void resolve(Shard.Timer limit) {
        try {
            InetAddress[] addresses = InetAddress.getAllByName(target.host());
            shard.execute(() -> {
                limit.cancel();
                connect(addresses, 0);
            });
        } catch (UnknownHostException e) {
            shard.execute(() -> {
                limit.cancel();
                fail(PeerFailures.words(e));
            });
        }
    }

    private void connect(InetAddress[] addresses, int index) {
        long left = LIMIT_MILLIS - TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
        if (answered || left <= 0) {
            fail("no answer in time");
            return;
        }
        PeerPipeline.client((int) left)
                .group(shard.eventLoop())
                .handler(new Initializer())
                .connect(new InetSocketAddress(addresses[index], target.port()))
                .addListener((ChannelFuture future) -> connected(future, addresses, index));
    }

    private void connected(ChannelFuture future, InetAddress[] addresses, int index) {
        Throwable cause = future.cause();
        if (cause != null && index + 1 < addresses.length) {
            connect(addresses, index + 1);
        } else if (cause != null) {
            fail(PeerFailures.words(cause));
        }
    }

    private void fail(String reason) {
        if (!answered) {
            answered = true;
            dialer.failed(reason);
        }
    }

    /** Puts the link in place as soon as the connection stands, before any byte of it is read. */
    private final class Initializer extends ChannelInitializer<Channel> {

        @Override
        protected void initChannel(Channel channel) {
            PeerPipeline.assemble(
                    channel, new MessageDecoder(MessageDecoder.MAX_MESSAGE), new Established());
        }
    }

    private final class Established extends ChannelInboundHandlerAdapter {

        @Override
        public void channelActive(ChannelHandlerContext context) {
            answered = true;
            NettyPeerLink link = new NettyPeerLink(context.channel(), target.toString());
            context.pipeline().replace(this, PeerPipeline.CONVERSATION, link);
            try {
                link.receiver(dialer.connected(link));
            } catch (RuntimeException e) {
                link.exceptionCaught(context, e);
            }
        }
    }
}
