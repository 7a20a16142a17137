// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.channel.Channel;
import io.netty.channel.EventLoop;

/**
 * Carries a connection from one event loop to the loop of its resource. Reading is off meanwhile,
 * and what the transport had still queued on the old loop runs there before the new loop sees the
 * channel.
 */
final class ShardMove implements Runnable {

    private final Channel channel;
    private final Inbound inbound;
    private final EventLoop from;
    private final EventLoop to;
    private final Runnable arrived;
    private final Runnable lost;
    private long turns;

    private ShardMove(
            Channel channel, Inbound inbound, EventLoop to, Runnable arrived, Runnable lost) {
        this.channel = channel;
        this.inbound = inbound;
        this.from = channel.eventLoop();
        this.to = to;
        this.arrived = arrived;
        this.lost = lost;
    }

    /**
     * Called on the channel's loop; {@code arrived} runs on {@code to}, or {@code lost} does when
     * the connection has ended on the way: its handlers hear nothing more.
     */
    static void move(
            Channel channel, Inbound inbound, EventLoop to, Runnable arrived, Runnable lost) {
        if (to.inEventLoop()) {
            arrived.run();
            return;
        }
        ShardMove move = new ShardMove(channel, inbound, to, arrived, lost);
        channel.deregister().addListener(left -> move.settle());
    }

    private void settle() {
        turns = inbound.turns();
        from.execute(this);
    }

    /**
     * A read that was queued on the old loop has run by now; it queues another one until it has met
     * the end.
     */
    @Override
    public void run() {
        if (inbound.turns() != turns) {
            settle();
            return;
        }
        to.register(channel)
                .addListener(registered -> {
                    if (registered.isSuccess()) {
                        arrived.run();
                    } else {
                        Channels.close(channel);
                        lost.run();
                    }
                });
    }
}
