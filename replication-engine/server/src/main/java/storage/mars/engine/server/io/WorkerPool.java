// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A few threads that do tasks side by side, taken in the order in which they were given. At most
 * one sleeper is being woken at a time, and a woken one wakes the next if there is more to do:
 * giving a burst of tasks costs the shard one wake-up.
 */
final class WorkerPool {

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition work = lock.newCondition();
    private final List<Thread> threads = new ArrayList<>();
    private @Nullable IoTask oldest;
    private @Nullable IoTask newest;
    private int idle;
    private boolean waking;
    private boolean closing;

    WorkerPool(NumberedThreads factory, int size) {
        for (int i = 0; i < size; i++) {
            Thread thread = factory.newThread(this::run);
            threads.add(thread);
            thread.start();
        }
    }

    /** Gives a task to whichever thread is free first; callable from any thread. */
    void submit(IoTask task) {
        boolean refused;
        lock.lock();
        try {
            refused = closing;
            if (!refused) {
                append(task);
                wakeOne();
            }
        } finally {
            lock.unlock();
        }
        if (refused) {
            task.abandonAndReturn();
        }
    }

    /** Lets the threads do what is queued and end; what comes later is answered as closed. */
    boolean close(Duration limit) {
        lock.lock();
        try {
            closing = true;
            work.signalAll();
        } finally {
            lock.unlock();
        }
        long end = System.nanoTime() + limit.toNanos();
        boolean all = true;
        for (Thread thread : threads) {
            all &= Joining.await(thread, Duration.ofNanos(end - System.nanoTime()));
        }
        return all;
    }

    private void run() {
        for (IoTask task = take(); task != null; task = take()) {
            task.performAndReturn();
        }
    }

    private @Nullable IoTask take() {
        lock.lock();
        try {
            while (oldest == null && !closing) {
                idle++;
                work.awaitUninterruptibly();
                idle--;
                waking = false;
            }
            IoTask task = removeOldest();
            wakeOne();
            return task;
        } finally {
            lock.unlock();
        }
    }

    private void append(IoTask task) {
        task.next = null;
        if (newest == null) {
            oldest = task;
        } else {
            newest.next = task;
        }
        newest = task;
    }

    private @Nullable IoTask removeOldest() {
        IoTask task = oldest;
        if (task != null) {
            oldest = task.next;
            newest = oldest == null ? null : newest;
            task.next = null;
        }
        return task;
    }

    private void wakeOne() {
        if (oldest != null && idle > 0 && !waking) {
            waking = true;
            work.signal();
        }
    }
}
