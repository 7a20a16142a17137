// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.schedule;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Everything that happens in a world, one event after the other in virtual time. Nothing happens by
 * itself: the seed decides when, and in which order at one time; equal seeds give equal runs. After
 * each event the deferred tasks run (crashes), then the watchers (invariants).
 */
public final class Scheduler {

    private static final int TRACE_CAPACITY = 4096;

    private final long seed;
    private final SimRandom random;
    private final SimRandom ties;
    private final EventHeap heap = new EventHeap();
    private final Trace trace = new Trace(TRACE_CAPACITY);
    private final ArrayDeque<Runnable> deferred = new ArrayDeque<>();
    private final List<Runnable> watchers = new ArrayList<>();
    private final Life world = new Life("world");
    private @Nullable SimShard current;
    private long now;
    private long steps;
    private long numbers;
    private long stepLimit = Long.MAX_VALUE;

    public Scheduler(long seed) {
        this.seed = seed;
        random = new SimRandom(SimRandom.mix(seed));
        ties = random.fork("ties");
    }

    public long seed() {
        return seed;
    }

    /** The stream of random numbers of that part of the world. */
    public SimRandom random(String label) {
        return random.fork(label);
    }

    /** Virtual time in nanoseconds since the world began. */
    public long now() {
        return now;
    }

    /** Events that have happened. */
    public long steps() {
        return steps;
    }

    public Trace trace() {
        return trace;
    }

    /** Has an event happen on no shard, whatever becomes of the machines. */
    public Event inWorld(long delay, String what, Runnable task) {
        return add(delay, world, null, what, 0, task);
    }

    /** Has an event happen on no shard, while {@code life} lasts. */
    public Event inLife(Life life, long delay, String what, long detail, Runnable task) {
        return add(delay, life, null, what, detail, task);
    }

    /** Has an event happen on {@code shard}, while its life lasts. */
    public Event onShard(SimShard shard, long delay, String what, long detail, Runnable task) {
        return add(delay, shard.life(), shard, what, detail, task);
    }

    private Event add(
            long delay,
            Life life,
            @Nullable SimShard shard,
            String what,
            long detail,
            Runnable task) {
        long time = Math.max(now, now + Math.max(0, delay));
        Event event = new Event(time, ties.nextLong(), numbers++, life, shard, what, detail, task);
        heap.add(event);
        return event;
    }

    /** After this the event does not happen any more. */
    public void cancel(Event event) {
        heap.remove(event);
    }

    /** Runs {@code task} once the present event has ended, or at once when there is none. */
    public void defer(Runnable task) {
        deferred.add(task);
    }

    /** Runs {@code watcher} after every event. */
    public void watch(Runnable watcher) {
        watchers.add(watcher);
    }

    /** Adds a line to the trace. */
    public void note(String owner, String what, long detail) {
        trace.add(now, owner, what, detail);
    }

    /** Lets the next event happen; false when there is none. */
    public boolean step() {
        runDeferred();
        Event event = heap.poll();
        while (event != null && event.life.ended()) {
            event = heap.poll();
        }
        if (event == null) {
            return false;
        }
        now = event.time;
        steps++;
        if (steps > stepLimit) {
            throw new SimFailure("no end after " + stepLimit + " events");
        }
        trace.add(now, event.life.name(), event.what, event.detail);
        current = event.shard;
        try {
            guarded(event.task);
        } finally {
            current = null;
        }
        runDeferred();
        for (Runnable watcher : watchers) {
            guarded(watcher);
        }
        return true;
    }

    /** Fails the run when it takes more than {@code limit} events in all: something goes round. */
    public void limitSteps(long limit) {
        stepLimit = limit;
    }

    /** Lets everything happen that is due within {@code nanos}, and that time pass. */
    public void runFor(long nanos) {
        long end = now + nanos;
        while (nextTime() <= end) {
            step();
        }
        now = Math.max(now, end);
    }

    /** Lets at most {@code count} events happen; says how many there were. */
    public long runSteps(long count) {
        long done = 0;
        while (done < count && step()) {
            done++;
        }
        return done;
    }

    /** Runs until {@code reached}; fails the run when that takes more than {@code withinNanos}. */
    public void runUntil(String goal, BooleanSupplier reached, long withinNanos) {
        long end = now + withinNanos;
        while (!reached.getAsBoolean()) {
            if (nextTime() > end) {
                now = Math.max(now, end);
                throw new SimFailure(
                        "not reached within " + withinNanos / 1_000_000 + " ms: " + goal);
            }
            step();
        }
    }

    /** When the next event is due, or {@link Long#MAX_VALUE}. */
    private long nextTime() {
        runDeferred();
        Event next = heap.peek();
        while (next != null && next.life.ended()) {
            heap.remove(next);
            next = heap.peek();
        }
        return next == null ? Long.MAX_VALUE : next.time;
    }

    private void runDeferred() {
        while (!deferred.isEmpty()) {
            guarded(deferred.remove());
        }
    }

    private void guarded(Runnable task) {
        try {
            task.run();
        } catch (SimFailure failure) {
            throw failure;
        } catch (RuntimeException | Error thrown) {
            throw new SimFailure("unexpected " + thrown, thrown);
        }
    }

    boolean isOn(SimShard shard) {
        return current == shard;
    }

    /** Fails the run unless the caller runs on {@code shard}. */
    public void requireOn(SimShard shard, String call) {
        if (current != shard) {
            throw new SimFailure(call + " is not called on its shard");
        }
    }

    /** Runs {@code task} as if on no shard, as a thread of the network would. */
    public void offShard(Runnable task) {
        SimShard before = current;
        current = null;
        try {
            task.run();
        } finally {
            current = before;
        }
    }
}
