// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Ends a connection whose client neither takes its replies nor sends the rest of a payload, and so
 * holds memory. Has a timer only while there is such a debt. Used on the shard.
 */
final class StuckPeerWatch implements Runnable {

    private final EventLoop loop;
    private final long nanos;
    private final BooleanSupplier owes;
    private final LongSupplier progress;
    private final Runnable stuck;
    private @Nullable ScheduledFuture<?> timer;
    private long seen;

    StuckPeerWatch(
            EventLoop loop,
            long nanos,
            BooleanSupplier owes,
            LongSupplier progress,
            Runnable stuck) {
        this.loop = loop;
        this.nanos = nanos;
        this.owes = owes;
        this.progress = progress;
        this.stuck = stuck;
    }

    /** Looks whether there is a debt, and again after a while. */
    void check() {
        if (timer == null && owes.getAsBoolean()) {
            seen = progress.getAsLong();
            timer = loop.schedule(this, nanos, TimeUnit.NANOSECONDS);
        }
    }

    @Override
    public void run() {
        timer = null;
        if (owes.getAsBoolean() && progress.getAsLong() <= seen) {
            stuck.run();
        } else {
            check();
        }
    }

    void stop() {
        if (timer != null) {
            timer.cancel(false);
            timer = null;
        }
    }
}
