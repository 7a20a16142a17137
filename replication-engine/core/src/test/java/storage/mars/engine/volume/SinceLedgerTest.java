// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import storage.mars.engine.log.Invariant;

class SinceLedgerTest {

    private static final long BUCKET = 1 << 18;

    private final SinceLedger ledger = new SinceLedger();

    @Test
    void oldestIsAPositionOnceAddedNeverAboveTheSmallestAndInItsBucket() {
        var random = new SplittableRandom(3);
        var held = new ArrayList<Long>();
        var sorted = new TreeMap<Long, Integer>();
        var added = new HashSet<Long>();
        long end = 0;
        for (int step = 0; step < 50_000; step++) {
            end += 4096L * random.nextInt(40);
            if (random.nextInt(200) < (step / 5_000 % 2 == 0 ? 110 : 90)) {
                long since = random.nextInt(500) == 0 ? end / 2 & -4096 : end;
                ledger.add(since);
                held.add(since);
                sorted.merge(since, 1, Integer::sum);
                added.add(since);
            } else if (!held.isEmpty()) {
                int last = held.size() - 1;
                int i = random.nextInt(held.size());
                ledger.remove(held.get(i));
                sorted.computeIfPresent(held.get(i), (s, n) -> n == 1 ? null : n - 1);
                held.set(i, held.get(last));
                held.remove(last);
            }
            if (held.isEmpty()) {
                assertThat(ledger.oldest()).isEqualTo(SinceLedger.NEVER);
                continue;
            }
            long smallest = sorted.firstKey();
            assertThat(ledger.oldest()).isBetween(smallest / BUCKET * BUCKET, smallest);
            assertThat(added.contains(ledger.oldest())).isTrue();
        }
    }

    @Test
    void whatWasNotAddedCannotBeRemoved() {
        ledger.add(5 * BUCKET);

        assertThatThrownBy(() -> ledger.remove(4 * BUCKET))
                .isInstanceOf(Invariant.InvariantViolation.class);
    }

    @Test
    void emptyLedgerSpansNothing() {
        ledger.add(0);
        ledger.remove(0);
        ledger.add(1L << 50);

        assertThat(ledger.oldest()).isEqualTo(1L << 50);
        assertThat(ledger.memoryBytes()).isLessThan(2_000);
    }
}
