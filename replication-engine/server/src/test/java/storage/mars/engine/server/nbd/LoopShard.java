// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.channel.EventLoop;
import java.util.concurrent.TimeUnit;
import storage.mars.engine.port.Shard;

/** A shard that is an event loop. */
record LoopShard(EventLoop loop) implements Shard {

    static EventLoop loopOf(Shard shard) {
        return ((LoopShard) shard).loop();
    }

    @Override
    public void execute(Runnable task) {
        loop.execute(task);
    }

    @Override
    public Timer schedule(long delayNanos, Runnable task) {
        var future = loop.schedule(task, delayNanos, TimeUnit.NANOSECONDS);
        return () -> future.cancel(false);
    }

    @Override
    public boolean isCurrent() {
        return loop.inEventLoop();
    }
}
