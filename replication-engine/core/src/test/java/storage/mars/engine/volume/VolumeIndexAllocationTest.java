// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import storage.mars.engine.log.LogLocation;

class VolumeIndexAllocationTest {

    private static final int BATCH = 64;
    private static final int BATCHES = 2_000;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final VolumeIndex index = new VolumeIndex(new IndexMemory(1 << 20));
    private final Lookup found = new Lookup();
    private final SplittableRandom random = new SplittableRandom(5);
    private final long[] blocks = new long[BATCH];
    private long frame;
    private long byWrites;
    private long byRounds;

    @Test
    void steadyStateAllocatesNothingForWritesAndLookupsAndTheSortAloneInRounds() {
        batches();
        byWrites = 0;
        byRounds = 0;

        batches();

        assertThat(byWrites).as("bytes in %s writes", BATCHES * BATCH).isLessThan(1_024);
        assertThat(byRounds).as("bytes in %s rounds", BATCHES).isLessThan(BATCHES * 128L);
    }

    private void batches() {
        for (int i = 0; i < BATCHES; i++) {
            long start = threads.getCurrentThreadAllocatedBytes();
            batch();
            long middle = threads.getCurrentThreadAllocatedBytes();
            round();
            byWrites += middle - start;
            byRounds += threads.getCurrentThreadAllocatedBytes() - middle;
        }
    }

    private void batch() {
        frame += 1 << 20;
        for (int i = 0; i < BATCH; i++) {
            blocks[i] = random.nextInt(50_000);
            index.admitWrite(1, blocks[i], 2, location(i), frame + i);
        }
        index.admitZero(0, blocks[0], 100, frame + BATCH);
        for (int i = 0; i < BATCH; i++) {
            index.durableWrite(1, blocks[i], 2, location(i), frame + i, frame);
            index.lookup(1, blocks[i] - blocks[i] % 8, 16, false, found);
        }
        index.durableZero(0, blocks[0], 100, frame + BATCH, frame);
    }

    private void round() {
        if (index.startRound(200)) {
            index.roundDone();
        }
    }

    private long location(int i) {
        return LogLocation.of(frame + (1 + 2 * i) * 4096L, frame);
    }
}
