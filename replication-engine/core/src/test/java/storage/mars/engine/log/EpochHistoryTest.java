// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class EpochHistoryTest {

    private static final EpochHistory FOUR =
            EpochHistory.EMPTY
                    .startedAt(0, id(1), 1)
                    .startedAt(100, id(2), 1)
                    .startedAt(200, id(3), 1)
                    .startedAt(300, id(4), 1);

    private static EpochId id(int sequence) {
        return new EpochId(1, sequence, 70 + sequence);
    }

    @Test
    void whatIsPrunedHasAnEpochInCommonWithALogThatEndsThere() {
        EpochHistory pruned = FOUR.prunedBelow(200);

        assertThat(pruned.epochs()).hasSize(3);
        assertThat(pruned.commonEnd(400, FOUR.endedAt(200), 200)).isEqualTo(200);
        assertThat(FOUR.prunedBelow(201).epochs()).hasSize(2);
        assertThat(FOUR.prunedBelow(Long.MAX_VALUE - 1).epochs()).hasSize(1);
        assertThat(FOUR.prunedBelow(0)).isEqualTo(FOUR);
    }

    @Test
    void whatIsKnownInFrontOfAHistoryIsKept() {
        EpochHistory pruned = FOUR.prunedBelow(201);

        assertThat(pruned.precededBy(FOUR.endedAt(250))).isEqualTo(FOUR);
        assertThat(FOUR.precededBy(pruned)).isEqualTo(FOUR);
        assertThat(FOUR.precededBy(FOUR.prunedBelow(101))).isEqualTo(FOUR);
        assertThat(pruned.precededBy(EpochHistory.EMPTY)).isEqualTo(pruned);
        assertThat(EpochHistory.EMPTY.precededBy(FOUR)).isEqualTo(EpochHistory.EMPTY);
    }

    @Test
    void historiesWithoutACommonEpochAreNotJoined() {
        EpochHistory other = EpochHistory.EMPTY.startedAt(0, new EpochId(1, 1, 99), 2);

        assertThat(FOUR.prunedBelow(101).precededBy(other)).isEqualTo(FOUR.prunedBelow(101));
    }
}
