// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import java.util.ArrayDeque;

/**
 * Who may write to the images of a resource now: a write-back round or a sync copy, never both, so
 * that no two image operations of different origin overlap. First come, first served. Owned by the
 * shard.
 */
public final class ImageTurns {

    private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
    private boolean taken;
    private boolean running;

    /** Runs {@code user} when it is its turn, perhaps at once; it ends with {@link #giveBack}. */
    public void take(Runnable user) {
        waiting.add(user);
        next();
    }

    public void giveBack() {
        taken = false;
        next();
    }

    /** A loop, not a recursion, however many turns end at once. */
    private void next() {
        if (running) {
            return;
        }
        running = true;
        while (!taken && !waiting.isEmpty()) {
            taken = true;
            waiting.remove().run();
        }
        running = false;
    }
}
