// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.schedule;

import org.jspecify.annotations.Nullable;

/**
 * One run of a process, from its start to its crash. Events belong to a life and do not happen
 * after its end. It also counts the points at which a crash is worth a try: each completed disk
 * operation and each delivered message.
 */
public final class Life {

    private final String name;
    private boolean ended;
    private long points;
    private @Nullable Runnable onPoint;

    public Life(String name) {
        this.name = name;
    }

    public String name() {
        return name;
    }

    public boolean ended() {
        return ended;
    }

    public void end() {
        ended = true;
    }

    /** Points passed so far. */
    public long points() {
        return points;
    }

    /** Has {@code watcher} told of each point, after it was counted. */
    public void onPoint(@Nullable Runnable watcher) {
        onPoint = watcher;
    }

    /** Passes a point: what happens in this event has become visible inside or outside. */
    public void point() {
        points++;
        if (onPoint != null) {
            onPoint.run();
        }
    }
}
