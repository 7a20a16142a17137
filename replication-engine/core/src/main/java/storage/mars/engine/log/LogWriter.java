// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.LogWindow.Chunk;
import storage.mars.engine.port.Clock;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Ports;
import storage.mars.engine.port.Shard;

/**
 * Makes the log durable: one write and fdatasync at a time, each of everything that has gathered
 * since the last (group commit without timers). The durable position is published only after the
 * sync. The first failure is final. Owned by the shard.
 */
public final class LogWriter implements Completion {

    private static final int MAX_BATCH_BYTES = 4 << 20;

    private final LogTail tail;
    private final Shard shard;
    private final Clock clock;
    private final Listener listener;
    private final Histogram latency = new Histogram();
    private final Runnable turn = this::turn;
    private ByteBuffer[] batch = new ByteBuffer[8];
    private @Nullable Segment segment;
    private long target;
    private long begunNanos;
    private boolean turnGiven;
    private boolean writing;
    private boolean failed;
    private boolean stopped;
    private @Nullable Runnable whenStopped;
    private final List<Runnable> whenIdle = new ArrayList<>();

    /** Who is told of durability; called on the shard. */
    public interface Listener {

        /** The writer is free: seal what has gathered. */
        void beforeWrite();

        /** [from, to) of the log is durable now; its frames are still in memory. */
        void durable(long from, long to);

        /** The log cannot be written any more; nothing becomes durable after this. */
        void logFailed(IoFailure failure);
    }

    public LogWriter(LogTail tail, Ports ports, Listener listener) {
        this.tail = tail;
        this.shard = ports.shard();
        this.clock = ports.clock();
        this.listener = listener;
    }

    /** How long the writes took, their fdatasync included. */
    public Histogram latency() {
        return latency;
    }

    /**
     * Asks for a write at the end of the running turn of the shard, so that all of the turn is in
     * one batch.
     */
    public void wake() {
        if (!turnGiven && !writing && !failed && !stopped) {
            turnGiven = true;
            shard.execute(turn);
        }
    }

    public boolean isIdle() {
        return !writing && tail.durable() == tail.end();
    }

    public boolean hasFailed() {
        return failed;
    }

    /** Runs {@code task} when everything that is in the log or gathers for it is durable. */
    public void whenIdle(Runnable task) {
        if (!writing && !failed && !stopped) {
            listener.beforeWrite();
        }
        if (isIdle()) {
            task.run();
        } else {
            whenIdle.add(task);
            wake();
        }
    }

    /**
     * Writes no more; {@code done} runs when the write under way, if any, has ended and been told.
     */
    public void stop(Runnable done) {
        stopped = true;
        if (writing) {
            whenStopped = done;
        } else {
            done.run();
        }
    }

    private void turn() {
        turnGiven = false;
        if (!writing && !failed && !stopped) {
            listener.beforeWrite();
            write();
        }
    }

    private void write() {
        long from = tail.durable();
        if (from == tail.end()) {
            return;
        }
        Segment place = tail.segments.holding(from);
        if (place == null) {
            throw new IllegalStateException("no segment for position " + from);
        }
        int count = gather(from);
        writing = true;
        segment = place;
        place.pin();
        begunNanos = clock.nanoTime();
        place.file.writeDurably(tail.layout.offset(from), batch, count, this);
    }

    private int gather(long from) {
        long limit = Math.min(tail.end(), tail.layout.end(from));
        long position = from;
        int bytes = 0;
        int count = 0;
        while (position < limit && bytes < MAX_BATCH_BYTES) {
            Chunk chunk = tail.window.holding(position);
            if (chunk == null) {
                throw new IllegalStateException("position " + position + " is not in memory");
            }
            if (count == batch.length) {
                batch = Arrays.copyOf(batch, count * 2);
            }
            long until = Math.min(chunk.base + chunk.used, limit);
            batch[count++] = chunk.ioView(position, until);
            bytes += (int) (until - position);
            position = chunk.base + chunk.used <= limit ? chunk.end : limit;
        }
        target = position;
        return count;
    }

    @Override
    public void completed(@Nullable IoFailure failure) {
        writing = false;
        Segment written = segment;
        segment = null;
        if (written != null) {
            tail.segments.unpin(written);
        }
        if (failure != null) {
            failed = true;
            listener.logFailed(failure);
        } else {
            latency.add(clock.nanoTime() - begunNanos);
            long from = tail.durable();
            tail.durable(target);
            listener.durable(from, target);
        }
        Runnable stop = whenStopped;
        if (stop != null) {
            whenStopped = null;
            stop.run();
        } else {
            turn();
            tellIdle();
        }
    }

    private void tellIdle() {
        if (isIdle() && !failed && !whenIdle.isEmpty()) {
            List<Runnable> told = List.copyOf(whenIdle);
            whenIdle.clear();
            told.forEach(Runnable::run);
        }
    }
}
