// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import storage.mars.engine.port.Shard;

/**
 * A shard that is a Netty event loop, so that its connections and its resources have one thread.
 */
public final class NettyShard implements Shard {

    private final EventLoop eventLoop;

    public NettyShard(EventLoop eventLoop) {
        this.eventLoop = eventLoop;
    }

    /** Where channels whose traffic belongs to this shard are registered. */
    public EventLoop eventLoop() {
        return eventLoop;
    }

    @Override
    public void execute(Runnable task) {
        eventLoop.execute(task);
    }

    @Override
    public Timer schedule(long delayNanos, Runnable task) {
        ScheduledFuture<?> future = eventLoop.schedule(task, delayNanos, TimeUnit.NANOSECONDS);
        return () -> future.cancel(false);
    }

    @Override
    public boolean isCurrent() {
        return eventLoop.inEventLoop();
    }
}
