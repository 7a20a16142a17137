// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.port.Shard;

/**
 * Where finished tasks wait for their shard. The I/O thread that finds it empty wakes the shard;
 * all that finish before the shard looks come along with that one wake-up.
 */
final class HandBack {

    private static final Logger LOGGER = LoggerFactory.getLogger(HandBack.class);

    private final AtomicReference<@Nullable IoTask> newest = new AtomicReference<>();
    private final Runnable drain = this::drain;
    private final Shard shard;

    HandBack(Shard shard) {
        this.shard = shard;
    }

    /** Called from any thread. */
    void push(IoTask task) {
        IoTask before;
        do {
            before = newest.get();
            task.next = before;
        } while (!newest.compareAndSet(before, task));
        if (before == null) {
            wakeShard();
        }
    }

    private void wakeShard() {
        try {
            shard.execute(drain);
        } catch (RejectedExecutionException e) {
            LOGGER.debug("A shard has ended before an operation of it was done");
        }
    }

    private void drain() {
        IoTask task = IoTask.reversed(newest.getAndSet(null));
        while (task != null) {
            IoTask following = task.next;
            task.next = null;
            try {
                task.deliver();
            } catch (RuntimeException | Error e) {
                LOGGER.error("The receiver of a completion failed", e);
            }
            task = following;
        }
    }
}
