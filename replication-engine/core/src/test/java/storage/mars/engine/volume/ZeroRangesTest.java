// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ZeroRangesTest {

    private static final int BLOCKS = 2_000;
    private static final int STEPS = 30_000;

    private final SinceLedger ledger = new SinceLedger();
    private final ZeroRanges ranges = new ZeroRanges(ledger);
    private final long[] orders = new long[BLOCKS];
    private final SplittableRandom random = new SplittableRandom(11);
    private final long base = BlockKey.of(2, 100, BLOCKS);

    @Test
    void newestRangeKeepsEveryBlockWhateverTheOrderOfAdding() {
        Arrays.fill(orders, -1);
        for (int step = 0; step < STEPS; step++) {
            int from = random.nextInt(BLOCKS);
            int most = random.nextInt(100) == 0 ? BLOCKS : 3;
            int to = from + 1 + random.nextInt(Math.min(most, BLOCKS - from));
            if (random.nextInt(4) == 0) {
                remove(from);
            } else {
                add(from, to, random.nextInt(3) == 0 ? random.nextInt(step + 1) : step);
            }
            if (step % 10 == 0) {
                compare();
            }
        }
    }

    private void add(int from, int to, long order) {
        ranges.add(base + from, base + to, order, order << 18);
        for (int i = from; i < to; i++) {
            orders[i] = Math.max(orders[i], order);
        }
    }

    private void remove(int from) {
        long order = orders[from];
        if (order < 0) {
            return;
        }
        ranges.remove(base, base + BLOCKS, order);
        for (int i = 0; i < BLOCKS; i++) {
            orders[i] = orders[i] == order ? -1 : orders[i];
        }
        assertThat(ranges.supersedes(base + from, 0, order << 18)).isFalse();
    }

    private void compare() {
        assertThat(ranges.size()).isEqualTo(ranges.size(2));
        long oldest = SinceLedger.NEVER;
        long lastEnd = 0;
        int rows = 0;
        for (int row = ranges.first(); row != ZeroRanges.NONE; row = ranges.next(row)) {
            assertThat(ranges.start(row)).isLessThan(ranges.end(row));
            assertThat(lastEnd).isLessThanOrEqualTo(ranges.start(row));
            lastEnd = ranges.end(row);
            oldest = Math.min(oldest, ranges.since(row));
            rows++;
        }
        assertThat(rows).isEqualTo(ranges.size());
        assertThat(ledger.oldest()).isEqualTo(oldest);
        ranges.seek(base);
        int row = ranges.first();
        long[] found = new long[BLOCKS];
        for (int i = 0; i < BLOCKS; i++) {
            while (row != ZeroRanges.NONE && ranges.end(row) <= base + i) {
                row = ranges.next(row);
            }
            boolean covered = row != ZeroRanges.NONE && ranges.start(row) <= base + i;
            found[i] = covered && ranges.covers(base + i) ? ranges.order(row) : -1;
        }
        assertThat(found).isEqualTo(orders);
    }

    @Test
    void manySmallRangesInAnyOrderMoveFewRows() {
        int count = 200_000;
        int[] shuffled = IntStream.range(0, count).toArray();
        for (int i = count - 1; i > 0; i--) {
            int other = random.nextInt(i + 1);
            int block = shuffled[i];
            shuffled[i] = shuffled[other];
            shuffled[other] = block;
        }

        for (int i = 0; i < count; i++) {
            ranges.add(base + shuffled[i], base + shuffled[i] + 1, i, i);
        }

        assertThat(ranges.size()).isEqualTo(count);
        assertThat(ranges.moved()).isLessThan(count * 256L);
        assertThat(ranges.memoryBytes()).isLessThan(count * 64L);
        ranges.add(base + 1, base + count - 1, count, count);
        assertThat(ranges.size()).isEqualTo(3);
        assertThat(ranges.since(ranges.next(ranges.first()))).isLessThan(2);
        assertThat(ranges.moved()).isLessThan(count * 256L);
    }
}
