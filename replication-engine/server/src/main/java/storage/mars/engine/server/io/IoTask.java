// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import org.jspecify.annotations.Nullable;

/**
 * One blocking operation on its way from a shard to an I/O thread and back. It is in one queue at a
 * time, which links it through {@link #next}; the queues order all accesses to its fields.
 */
abstract class IoTask {

    /** The link of whatever queue the task is in. */
    @Nullable IoTask next;

    private final HandBack home;

    IoTask(HandBack home) {
        this.home = home;
    }

    /**
     * Does the work, on an I/O thread, and keeps the outcome; never throws an {@link Exception}.
     */
    abstract void perform();

    /** Makes the outcome "closed" in place of {@link #perform}. */
    abstract void abandon();

    /** Tells the asker the outcome, on the shard. */
    abstract void deliver();

    final void performAndReturn() {
        perform();
        home.push(this);
    }

    final void abandonAndReturn() {
        abandon();
        home.push(this);
    }

    /** Turns a chain that was pushed last-in-first-out into the order of pushing. */
    static @Nullable IoTask reversed(@Nullable IoTask newest) {
        IoTask oldest = null;
        while (newest != null) {
            IoTask before = newest.next;
            newest.next = oldest;
            oldest = newest;
            newest = before;
        }
        return oldest;
    }
}
