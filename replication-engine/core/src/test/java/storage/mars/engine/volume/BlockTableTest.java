// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class BlockTableTest {

    private static final int STEPS = 60_000;

    private final SinceLedger ledger = new SinceLedger();
    private final BlockTable table = new BlockTable(ledger);
    private final Map<Long, Long> expected = new HashMap<>();
    private final SplittableRandom random = new SplittableRandom(7);

    @Test
    void tableHoldsExactlyWhatWasNotRemoved() {
        for (int step = 0; step < STEPS; step++) {
            long key = BlockKey.of(random.nextInt(3), random.nextInt(3_000), 1);
            switch (random.nextInt(40)) {
                case 0 -> removeOlder(key, key + random.nextInt(100), step);
                case 1 -> removeOlder(key, key + 5_000, random.nextInt(2) == 0 ? step / 2 : 3);
                case 2, 3, 4, 5, 6, 7, 8, 9 -> remove(key);
                default -> put(key, step);
            }
            if (step % 997 == 0) {
                compare();
            }
        }
        compare();
    }

    private void put(long key, long order) {
        int slot = table.find(key);
        if (slot == BlockTable.ABSENT) {
            table.insert(key, order * 2, order, order);
            ledger.add(order);
            expected.put(key, order);
        }
    }

    private void remove(long key) {
        int slot = table.find(key);
        assertThat(slot != BlockTable.ABSENT).isEqualTo(expected.remove(key) != null);
        if (slot != BlockTable.ABSENT) {
            table.remove(slot);
        }
    }

    private void removeOlder(long from, long to, long order) {
        int volume = BlockKey.volume(from);
        long oldest = Long.MAX_VALUE;
        for (var entry : expected.entrySet()) {
            if (entry.getKey() >= from && entry.getKey() < to && entry.getValue() < order) {
                oldest = Math.min(oldest, entry.getValue());
            }
        }
        expected.entrySet()
                .removeIf(e -> e.getKey() >= from && e.getKey() < to && e.getValue() < order);

        assertThat(table.removeOlder(from, to, order, Long.MAX_VALUE)).isEqualTo(oldest);
        assertThat(table.size(volume))
                .isEqualTo(
                        (int)
                                expected.keySet().stream()
                                        .filter(k -> BlockKey.volume(k) == volume)
                                        .count());
    }

    private void compare() {
        assertThat(table.size()).isEqualTo(expected.size());
        expected.forEach((key, order) -> {
            int slot = table.find(key);
            assertThat(slot).isNotEqualTo(BlockTable.ABSENT);
            assertThat(table.order(slot)).isEqualTo(order);
            assertThat(table.location(slot)).isEqualTo(order * 2);
            assertThat(table.since(slot)).isEqualTo(order);
        });
    }
}
