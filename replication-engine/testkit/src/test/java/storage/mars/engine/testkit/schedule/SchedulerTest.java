// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import storage.mars.engine.port.Shard;

class SchedulerTest {

    private final Scheduler scheduler = new Scheduler(7);
    private final Life life = new Life("a");
    private final SimShard shard = shard(life);

    private SimShard shard(Life of) {
        return new SimShard(scheduler, of, new SimRandom(1), nanos -> nanos);
    }

    @Test
    void aShardRunsItsTasksInTheOrderTheyWereGiven() {
        List<Integer> ran = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            int number = i;
            shard.execute(() -> ran.add(number));
        }

        scheduler.runFor(1_000_000_000);

        assertThat(ran).hasSize(100).isSorted();
    }

    @Test
    void tasksOfTwoShardsInterleave() {
        List<String> ran = new ArrayList<>();
        SimShard other = shard(new Life("b"));
        for (int i = 0; i < 50; i++) {
            shard.execute(() -> ran.add("a"));
            other.execute(() -> ran.add("b"));
        }

        scheduler.runFor(1_000_000_000);

        assertThat(String.join("", ran)).contains("aa", "ab", "ba", "bb");
    }

    @Test
    void onlyTheRunningShardIsCurrent() {
        List<Boolean> seen = new ArrayList<>();
        SimShard other = shard(life);
        shard.execute(() -> {
            seen.add(shard.isCurrent());
            seen.add(other.isCurrent());
            scheduler.offShard(() -> seen.add(shard.isCurrent()));
            seen.add(shard.isCurrent());
        });

        scheduler.runFor(1_000_000);

        assertThat(seen).containsExactly(true, false, false, true);
        assertThat(shard.isCurrent()).isFalse();
    }

    @Test
    void aCancelledTimerDoesNotRun() {
        List<String> ran = new ArrayList<>();
        shard.execute(() -> {
            Shard.Timer first = shard.schedule(1_000_000, () -> ran.add("first"));
            shard.schedule(2_000_000, () -> ran.add("second"));
            first.cancel();
        });

        scheduler.runFor(1_000_000_000);

        assertThat(ran).containsExactly("second");
    }

    @Test
    void nothingOfALifeHappensAfterItsEnd() {
        List<String> ran = new ArrayList<>();
        shard.execute(() -> ran.add("task"));
        scheduler.inLife(life, 5, "event", 0, () -> ran.add("event"));
        scheduler.inWorld(10, "world", () -> ran.add("world"));
        life.end();

        scheduler.runFor(1_000_000);
        shard.execute(() -> ran.add("late"));
        scheduler.runFor(1_000_000);

        assertThat(ran).containsExactly("world");
    }

    @Test
    void timersOffTheShardFailTheRun() {
        assertThatThrownBy(() -> shard.schedule(1, () -> {})).isInstanceOf(SimFailure.class);
    }

    @Test
    void aGoalNotReachedInTimeFailsTheRun() {
        assertThatThrownBy(() -> scheduler.runUntil("the impossible", () -> false, 1_000_000))
                .isInstanceOf(SimFailure.class)
                .hasMessageContaining("the impossible");
    }

    @Test
    void goingRoundForEverFailsTheRun() {
        scheduler.limitSteps(1_000);
        Runnable[] again = new Runnable[1];
        again[0] = () -> shard.execute(again[0]);
        shard.execute(again[0]);

        assertThatThrownBy(() -> scheduler.runFor(Long.MAX_VALUE / 2))
                .hasMessageContaining("no end after 1000");
    }

    @Test
    void whatATaskThrowsFailsTheRun() {
        shard.execute(() -> Objects.requireNonNull(nothing(), "boom"));

        assertThatThrownBy(() -> scheduler.runFor(1_000_000))
                .isInstanceOf(SimFailure.class)
                .hasMessageContaining("boom");
    }

    private static @Nullable String nothing() {
        return null;
    }

    @Test
    void theHeapKeepsItsOrderWhateverIsTakenOut() {
        SimRandom random = new SimRandom(3);
        EventHeap heap = new EventHeap();
        List<Event> events = new ArrayList<>();
        for (int i = 0; i < 2_000; i++) {
            Event event =
                    new Event(random.below(500), random.nextLong(), i, life, null, "", 0, () -> {});
            events.add(event);
            heap.add(event);
        }
        for (int i = 0; i < 2_000; i += 3) {
            heap.remove(events.get(i));
        }

        List<Long> times = new ArrayList<>();
        for (Event event = heap.poll(); event != null; event = heap.poll()) {
            times.add(event.time);
        }

        assertThat(times).hasSize(2_000 - 667).isSorted();
    }

    @Test
    void randomStreamsDependOnTheirLabelsOnly() {
        SimRandom root = new SimRandom(9);

        assertThat(root.fork("a").nextLong()).isEqualTo(root.fork("a").nextLong());
        assertThat(root.fork("a").nextLong()).isNotEqualTo(root.fork("b").nextLong());
    }
}
