// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollEventLoopGroup;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.SingleThreadEventExecutor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The shards of one engine: a fixed number of epoll event loops, which sleep when nothing happens.
 */
public final class ShardGroup {

    private final EventLoopGroup group;
    private final List<NettyShard> shards;

    private ShardGroup(EventLoopGroup group, List<NettyShard> shards) {
        this.group = group;
        this.shards = shards;
    }

    /** Starts {@code count} shards with threads {@code mars-shard-0} and so on. */
    public static ShardGroup start(int count) {
        Epoll.ensureAvailability();
        EventLoopGroup group = new EpollEventLoopGroup(count, new NumberedThreads("mars-shard-"));
        List<NettyShard> shards = new ArrayList<>(count);
        for (EventExecutor loop : group) {
            shards.add(new NettyShard((EventLoop) loop));
        }
        return new ShardGroup(group, List.copyOf(shards));
    }

    /** All shards, by number. */
    public List<NettyShard> shards() {
        return shards;
    }

    /** The loops themselves, for channels that belong to no resource yet. */
    public EventLoopGroup eventLoops() {
        return group;
    }

    /** Ids of the threads, by number of the shard. */
    public long[] threadIds() {
        return shards.stream()
                .map(shard -> (SingleThreadEventExecutor) shard.eventLoop())
                .mapToLong(loop -> loop.threadProperties().id())
                .toArray();
    }

    /** Runs what is queued, then ends the threads; returns whether they ended in time. */
    public boolean stop(Duration limit) {
        return group.shutdownGracefully(0, limit.toMillis(), TimeUnit.MILLISECONDS)
                .awaitUninterruptibly(limit.toMillis() + 500);
    }
}
