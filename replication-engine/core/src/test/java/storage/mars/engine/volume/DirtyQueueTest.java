// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DirtyQueueTest {

    private final BlockTable table = new BlockTable(new SinceLedger());
    private final DirtyQueue queue = new DirtyQueue(table);

    @Test
    void keysLeaveInTheOrderOfTheirComingThroughGrowth() {
        for (int i = 0; i < 40; i++) {
            dirty(i, i);
        }
        for (int i = 0; i < 30; i++) {
            assertThat(queue.poll()).isEqualTo(key(i));
        }
        for (int i = 40; i < 500; i++) {
            dirty(i, i);
        }

        for (int i = 30; i < 500; i++) {
            assertThat(queue.poll()).isEqualTo(key(i));
        }
        assertThat(queue.poll()).isEqualTo(BlockKey.NONE);
    }

    @Test
    void itemsWhoseEntryIsGoneOrAnotherAreSkippedAndTakeNoRoom() {
        dirty(1_000_000, 0);
        for (int i = 1; i < 100_000; i++) {
            dirty(i % 20, i);
            if (i >= 10) {
                clean((i - 10) % 20);
            }
        }

        assertThat(queue.memoryBytes()).isLessThan(8_192);
        assertThat(queue.poll()).isEqualTo(key(1_000_000));
        clean(1_000_000);
        for (int i = 99_990; i < 100_000; i++) {
            assertThat(queue.poll()).isEqualTo(key(i % 20));
        }
        assertThat(queue.poll()).isEqualTo(BlockKey.NONE);
    }

    private void dirty(long block, long since) {
        table.insert(key(block), 0, since, since);
        queue.add(key(block), since);
    }

    private void clean(long block) {
        int slot = table.find(key(block));
        if (slot != BlockTable.ABSENT) {
            table.detach(slot);
        }
    }

    private static long key(long block) {
        return BlockKey.of(0, block, 1);
    }
}
