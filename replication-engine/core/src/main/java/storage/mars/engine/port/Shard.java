// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.port;

/**
 * The one thread that owns a set of resources: all their state is touched by its tasks alone, which
 * run one at a time, in the order in which they were given.
 */
public interface Shard {

    /**
     * Runs {@code task} on the shard after everything that was given before it. Callable from any
     * thread.
     */
    void execute(Runnable task);

    /** Runs {@code task} on the shard once {@code delayNanos} have passed. Called on the shard. */
    Timer schedule(long delayNanos, Runnable task);

    /** Whether the caller runs on this shard. */
    boolean isCurrent();

    /** A task that waits for its time. */
    @FunctionalInterface
    interface Timer {

        /**
         * After this the task does not run any more; without effect when it has run. Called on the
         * shard.
         */
        void cancel();
    }
}
