// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ZeroRangesTest {

    private static final int BLOCKS = 60;
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
            int to = from + 1 + random.nextInt(BLOCKS - from);
            if (random.nextInt(4) == 0) {
                remove(from);
            } else {
                add(from, to, random.nextInt(3) == 0 ? random.nextInt(step + 1) : step);
            }
            compare();
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
        for (int row = 0; row < ranges.size(); row++) {
            assertThat(ranges.start(row)).isLessThan(ranges.end(row));
            assertThat(row == 0 || ranges.end(row - 1) <= ranges.start(row)).isTrue();
            oldest = Math.min(oldest, ranges.since(row));
        }
        assertThat(ledger.oldest()).isEqualTo(oldest);
        ranges.seek(base);
        int row = 0;
        for (int i = 0; i < BLOCKS; i++) {
            while (row < ranges.size() && ranges.end(row) <= base + i) {
                row++;
            }
            boolean covered = row < ranges.size() && ranges.start(row) <= base + i;
            assertThat(covered ? ranges.order(row) : -1).isEqualTo(orders[i]);
            assertThat(ranges.covers(base + i)).isEqualTo(covered);
        }
    }
}
