// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import storage.mars.engine.log.Invariant;
import storage.mars.engine.log.LogLocation;

class VolumeIndexTest {

    private static final long FRAME = 1 << 20;

    private final VolumeIndex index = new VolumeIndex(new IndexMemory(1 << 20));
    private final Lookup found = new Lookup();

    @Test
    void zeroBehindWriteInTheSameFrameWinsThoughThePayloadLiesBehindIt() {
        index.admitWrite(0, 10, 1, location(FRAME, 0), FRAME);
        index.admitZero(0, 10, 1, FRAME + 1);
        assertThat(kindAt(10)).isEqualTo(Lookup.Kind.ZERO);

        index.durableWrite(0, 10, 1, location(FRAME, 0), FRAME, FRAME);
        index.durableZero(0, 10, 1, FRAME + 1, FRAME);
        assertThat(kindAt(10)).isEqualTo(Lookup.Kind.ZERO);

        index.durableWrite(0, 10, 1, location(FRAME, 0), FRAME, FRAME);
        assertThat(kindAt(10)).isEqualTo(Lookup.Kind.ZERO);
    }

    @Test
    void writeBehindZeroInTheSameFrameWins() {
        index.durableZero(0, 0, 100, FRAME, FRAME);
        index.durableWrite(0, 10, 1, location(FRAME, 0), FRAME + 1, FRAME);
        index.durableZero(0, 0, 100, FRAME, FRAME);

        assertThat(kindAt(9)).isEqualTo(Lookup.Kind.ZERO);
        assertThat(kindAt(10)).isEqualTo(Lookup.Kind.LOG);
        assertThat(index.startRound(1)).isTrue();
        assertThat(index.round().zeroRanges()).isEqualTo(1);
        assertThat(index.round().blocks()).isEqualTo(1);
    }

    @Test
    void durabilityRemovesOnlyTheVersionThatBecameDurable() {
        index.admitWrite(0, 10, 1, location(FRAME, 0), FRAME);
        index.admitWrite(0, 10, 1, location(2 * FRAME, 0), 2 * FRAME);

        index.durableWrite(0, 10, 1, location(FRAME, 0), FRAME, FRAME);

        index.lookup(0, 10, 1, false, found);
        assertThat(found.location()).isEqualTo(location(2 * FRAME, 0));
        index.lookup(0, 10, 1, true, found);
        assertThat(found.location()).isEqualTo(location(FRAME, 0));
    }

    @Test
    void rewriteDuringTheRoundIsMissingInTheImageSinceItsOwnFrame() {
        index.durableWrite(0, 10, 1, location(FRAME, 0), FRAME, FRAME);
        assertThat(index.startRound(1)).isTrue();
        index.durableWrite(0, 10, 1, location(2 * FRAME, 0), 2 * FRAME, 2 * FRAME);
        assertThat(index.applied(9 * FRAME)).isEqualTo(FRAME);

        index.roundDone();

        assertThat(index.applied(9 * FRAME)).isEqualTo(2 * FRAME);
    }

    @Test
    void failedRoundKeepsNewerVersionsButStartsReplayAtTheOlder() {
        index.durableWrite(0, 10, 1, location(FRAME, 0), FRAME, FRAME);
        index.durableZero(0, 20, 9, FRAME + 1, FRAME);
        index.durableWrite(0, 30, 1, location(FRAME, 1), FRAME + 2, FRAME);
        assertThat(index.startRound(9)).isTrue();
        index.durableWrite(0, 10, 1, location(2 * FRAME, 0), 2 * FRAME, 2 * FRAME);
        index.durableZero(0, 22, 90, 2 * FRAME + 1, 2 * FRAME);

        index.roundFailed();

        assertThat(index.applied(9 * FRAME)).isEqualTo(FRAME);
        assertThat(kindAt(30)).isEqualTo(Lookup.Kind.ZERO);
        index.lookup(0, 10, 1, true, found);
        assertThat(found.location()).isEqualTo(location(2 * FRAME, 0));
        index.lookup(0, 20, 200, true, found);
        assertThat(found.blocks()).isEqualTo(92);
        assertThat(index.blocks()).isEqualTo(1);
        assertThat(index.zeroRanges()).isEqualTo(2);
    }

    @Test
    void zeroTakesOverTheSinceOfWhatItCovers() {
        index.durableWrite(0, 10, 1, location(FRAME, 0), FRAME, FRAME);
        index.durableZero(0, 0, 1L << 40, 2 * FRAME, 2 * FRAME);

        assertThat(index.blocks()).isZero();
        assertThat(index.applied(9 * FRAME)).isEqualTo(FRAME);
    }

    @Test
    void olderZeroAndWriteAgainLowerTheSinceOfTheNewerZero() {
        index.durableZero(0, 0, 50, 3 * FRAME, 3 * FRAME);

        index.durableZero(0, 5, 10, 2 * FRAME, 2 * FRAME);
        assertThat(index.applied(9 * FRAME)).isEqualTo(2 * FRAME);
        index.durableWrite(0, 7, 1, location(FRAME, 0), FRAME, FRAME);
        assertThat(index.applied(9 * FRAME)).isEqualTo(FRAME);

        assertThat(index.zeroRanges()).isEqualTo(1);
        assertThat(index.blocks()).isZero();
    }

    @Test
    void roundTakesTheOldestLogFirstAndItsNeighbours() {
        index.durableWrite(1, 70, 1, location(FRAME, 0), FRAME, FRAME);
        index.durableWrite(0, 10, 4, location(2 * FRAME, 0), 2 * FRAME, 2 * FRAME);
        index.durableWrite(1, 68, 2, location(3 * FRAME, 0), 3 * FRAME, 3 * FRAME);

        assertThat(index.startRound(3)).isTrue();

        var round = index.round();
        assertThat(round.blocks()).isEqualTo(3);
        assertThat(round.volume(0)).isEqualTo(1);
        assertThat(round.block(0)).isEqualTo(68);
        assertThat(round.runEnd(0)).isEqualTo(3);
        assertThat(round.location(0)).isEqualTo(location(3 * FRAME, 0));
        assertThat(round.location(1)).isEqualTo(location(3 * FRAME, 1));
        assertThat(round.location(2)).isEqualTo(location(FRAME, 0));
        index.roundDone();
        assertThat(index.applied(9 * FRAME)).isEqualTo(2 * FRAME);
    }

    @Test
    void lookupEndsAtTheRecordAndAtTheVolume() {
        index.durableWrite(0, 0, 4, location(FRAME, 0), FRAME, FRAME);
        index.durableWrite(0, 4, 4, location(FRAME, 4), FRAME + 1, FRAME);
        index.lookup(0, 1, 100, true, found);
        assertThat(found.blocks()).isEqualTo(3);
        assertThat(found.location()).isEqualTo(location(FRAME, 1));

        index.lookup(1, 0, 100, true, found);
        assertThat(found.kind()).isEqualTo(Lookup.Kind.IMAGE);
        assertThat(found.blocks()).isEqualTo(100);
    }

    @Test
    void olderVersionsMayNotComeWhileARoundRuns() {
        index.durableWrite(0, 10, 1, location(2 * FRAME, 0), 2 * FRAME, 2 * FRAME);
        assertThat(index.startRound(1)).isTrue();

        assertThatThrownBy(() -> index.durableZero(0, 0, 50, FRAME, FRAME))
                .isInstanceOf(Invariant.InvariantViolation.class);
    }

    @Test
    void whatIsEmptyHoldsNoMemoryAfterATrim() {
        for (int i = 0; i < 10_000; i++) {
            long frame = i * FRAME;
            index.admitWrite(0, i * 3L, 1, location(frame, 0), frame);
            index.admitZero(0, i * 3L + 1, 1, frame + 1);
            index.durableWrite(0, i * 3L, 1, location(frame, 0), frame, frame);
            index.durableZero(0, i * 3L + 1, 1, frame + 1, frame);
        }
        index.trim();
        assertThat(index.blocks()).isEqualTo(10_000);
        assertThat(index.zeroRanges()).isEqualTo(10_000);
        while (index.startRound(1_000)) {
            index.roundDone();
        }

        index.trim();

        assertThat(index.memoryBytes()).isZero();
        assertThat(index.applied(FRAME)).isEqualTo(FRAME);
    }

    @Test
    void memoryGoesAsTheIndexEmpties() {
        for (int i = 0; i < 200_000; i++) {
            long frame = i * 8192L;
            index.durableWrite(0, i * 3L, 1, location(frame, 0), frame, frame);
        }
        long full = index.memoryBytes();
        while (index.blocks() > 1_000) {
            index.startRound(2_048);
            index.roundDone();
        }

        assertThat(index.memoryBytes()).isLessThan(full / 4);
        while (index.startRound(100)) {
            index.roundDone();
        }
        index.trimWhenIdle();
        assertThat(index.memoryBytes()).isPositive();
        index.trimWhenIdle();
        assertThat(index.memoryBytes()).isZero();
    }

    private Lookup.Kind kindAt(long block) {
        index.lookup(0, block, 1, false, found);
        return found.kind();
    }

    private static long location(long frame, int block) {
        return LogLocation.of(frame + (block + 1) * 4096L, frame);
    }
}
