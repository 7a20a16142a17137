// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.schedule;

import java.util.ArrayDeque;
import java.util.function.LongUnaryOperator;
import storage.mars.engine.port.Shard;

/**
 * A shard in virtual time. Its tasks run one an event, in the order in which they were given;
 * between two of them anything may happen elsewhere. Timers count the machine's own time, which may
 * run fast or slow.
 */
public final class SimShard implements Shard {

    private static final long MAX_TASK_DELAY_NANOS = 3_000;

    private final Scheduler scheduler;
    private final Life life;
    private final SimRandom random;
    private final LongUnaryOperator worldNanos;
    private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
    private final Runnable runNext = this::runNext;
    private boolean awake;

    /** {@code worldNanos} turns a delay of the machine's clock into one of the world's. */
    public SimShard(
            Scheduler scheduler, Life life, SimRandom random, LongUnaryOperator worldNanos) {
        this.scheduler = scheduler;
        this.life = life;
        this.random = random;
        this.worldNanos = worldNanos;
    }

    public Life life() {
        return life;
    }

    @Override
    public void execute(Runnable task) {
        if (life.ended()) {
            return;
        }
        tasks.add(task);
        wake();
    }

    private void wake() {
        if (!awake && !tasks.isEmpty()) {
            awake = true;
            scheduler.onShard(this, random.below(MAX_TASK_DELAY_NANOS), "task", 0, runNext);
        }
    }

    private void runNext() {
        awake = false;
        Runnable task = tasks.remove();
        wake();
        task.run();
    }

    @Override
    public Timer schedule(long delayNanos, Runnable task) {
        if (delayNanos < 0) {
            throw new SimFailure("timer in the past: " + delayNanos);
        }
        scheduler.requireOn(this, "schedule");
        long delay = worldNanos.applyAsLong(delayNanos) + random.below(MAX_TASK_DELAY_NANOS);
        Event event = scheduler.onShard(this, delay, "timer", delayNanos, task);
        return () -> scheduler.cancel(event);
    }

    @Override
    public boolean isCurrent() {
        return scheduler.isOn(this);
    }
}
