// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.schedule;

import org.jspecify.annotations.Nullable;

/** Something that will happen, unless it is cancelled or its life ends before. */
public final class Event {

    final long time;
    final long order;
    final long number;
    final Life life;
    final @Nullable SimShard shard;
    final String what;
    final long detail;
    final Runnable task;

    /** Place in the heap, or -1 when it is not in it. */
    int place = -1;

    Event(
            long time,
            long order,
            long number,
            Life life,
            @Nullable SimShard shard,
            String what,
            long detail,
            Runnable task) {
        this.time = time;
        this.order = order;
        this.number = number;
        this.life = life;
        this.shard = shard;
        this.what = what;
        this.detail = detail;
        this.task = task;
    }

    boolean isBefore(Event other) {
        if (time != other.time) {
            return time < other.time;
        }
        return order == other.order ? number < other.number : order < other.order;
    }
}
