// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.port;

/** Where a shard has long computations done, so that it goes on serving meanwhile. */
@FunctionalInterface
public interface Offload {

    /**
     * Runs {@code work} on another thread and then tells {@code done} on the shard. The work does
     * not block, and nobody else touches what it uses before it is done; it was not done, or not
     * wholly, when {@code done} hears of a failure. Called on the shard.
     */
    void run(Runnable work, Completion done);
}
