// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A thread that writes: takes tasks in the order in which they were given and does one after the
 * other. The hand-over allocates nothing and costs a wake-up only when the thread sleeps; before it
 * sleeps it looks out for {@code spinNanos}, because the next batch often follows at once.
 */
final class Lane {

    private final AtomicReference<@Nullable IoTask> newest = new AtomicReference<>();
    private final Thread thread;
    private final long spinNanos;
    private volatile boolean asleep;
    private volatile boolean closing;
    private volatile boolean ended;

    Lane(NumberedThreads threads, long spinNanos) {
        this.spinNanos = spinNanos;
        this.thread = threads.newThread(this::run);
        thread.start();
    }

    /** Gives a task to the thread; callable from any thread, never blocks. */
    void submit(IoTask task) {
        IoTask before;
        do {
            before = newest.get();
            task.next = before;
        } while (!newest.compareAndSet(before, task));
        if (before == null && asleep) {
            LockSupport.unpark(thread);
        }
        if (ended) {
            abandonAll();
        }
    }

    /** Lets the thread do what is queued and end; what comes later is answered as closed. */
    boolean close(Duration limit) {
        closing = true;
        LockSupport.unpark(thread);
        return Joining.await(thread, limit);
    }

    private void run() {
        IoTask batch = next();
        while (batch != null) {
            while (batch != null) {
                IoTask following = batch.next;
                batch.performAndReturn();
                batch = following;
            }
            batch = next();
        }
        ended = true;
        abandonAll();
    }

    /** What has gathered, oldest first; null when the lane is to end. */
    private @Nullable IoTask next() {
        IoTask batch = newest.getAndSet(null);
        while (batch == null) {
            if (closing && newest.get() == null) {
                return null;
            }
            if (!spin()) {
                sleep();
            }
            batch = newest.getAndSet(null);
        }
        return IoTask.reversed(batch);
    }

    private boolean spin() {
        long start = spinNanos == 0 ? 0 : System.nanoTime();
        while (spinNanos != 0 && System.nanoTime() - start < spinNanos) {
            if (newest.getPlain() != null && newest.get() != null) {
                return true;
            }
            Thread.onSpinWait();
        }
        return newest.get() != null;
    }

    private void sleep() {
        asleep = true;
        if (newest.get() == null && !closing) {
            LockSupport.park(this);
        }
        asleep = false;
    }

    private void abandonAll() {
        IoTask task = IoTask.reversed(newest.getAndSet(null));
        while (task != null) {
            IoTask following = task.next;
            task.abandonAndReturn();
            task = following;
        }
    }
}
