// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replication;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class LagClockTest {

    private static final long MILLI = 1_000_000L;
    private static final long SECOND = 1_000 * MILLI;

    /** Samples are at least this far apart. */
    private static final long APART = 50 * MILLI;

    private final LagClock clock = new LagClock();

    @Test
    void aReplicaThatHoldsEverythingHasNoAge() {
        clock.sample(4096, 0);

        assertThat(clock.ageNanos(4096, 4096, 9 * SECOND)).isZero();
        assertThat(clock.ageNanos(8192, 4096, 9 * SECOND)).isZero();
    }

    @Test
    void nothingIsKnownBeforeTheFirstSample() {
        assertThat(clock.ageNanos(0, 4096, 9 * SECOND)).isZero();
    }

    @Test
    void ageCountsFromTheMomentInWhichThePrimaryWentPastThePosition() {
        clock.sample(100, SECOND);
        clock.sample(200, 2 * SECOND);
        clock.sample(300, 3 * SECOND);

        assertThat(clock.ageNanos(0, 300, 5 * SECOND)).isEqualTo(4 * SECOND);
        assertThat(clock.ageNanos(99, 300, 5 * SECOND)).isEqualTo(4 * SECOND);
        assertThat(clock.ageNanos(100, 300, 5 * SECOND)).isEqualTo(3 * SECOND);
        assertThat(clock.ageNanos(250, 300, 5 * SECOND)).isEqualTo(2 * SECOND);
    }

    @Test
    void anIdleHourIsNoLag() {
        clock.sample(100, 0);
        for (int second = 1; second < 3600; second++) {
            clock.sample(100, second * SECOND);
        }
        clock.sample(200, 3600 * SECOND);

        assertThat(clock.ageNanos(100, 200, 3600 * SECOND + MILLI)).isEqualTo(MILLI);
    }

    @Test
    void aPositionOlderThanAllSamplesIsAsOldAsTheOldest() {
        for (int i = 1; i <= 5000; i++) {
            clock.sample(i, i * 100L * MILLI);
        }

        // 2,048 samples are kept.
        assertThat(clock.ageNanos(1, 5000, 500 * SECOND)).isEqualTo(2047L * 100 * MILLI);
    }

    @Test
    void theOriginOfTheClockMeansNothing() {
        long origin = Long.MAX_VALUE - SECOND;
        clock.sample(100, origin);
        clock.sample(200, origin + 2 * SECOND);

        assertThat(clock.ageNanos(100, 200, origin + 3 * SECOND)).isEqualTo(SECOND);
    }

    @Test
    void ageIsRightWithinTheDistanceOfSamples() {
        SplittableRandom random = new SplittableRandom(4);
        long[] passed = new long[3000];
        long now = 0;
        int position = 0;
        while (position + 1 < passed.length) {
            now += random.nextLong(30 * MILLI);
            passed[position] = now;
            position++;
            clock.sample(position, now);

            int asked = Math.max(0, position - 1 - random.nextInt(500));
            long age = clock.ageNanos(asked, position, now);

            assertThat(age)
                    .as("of %d at %d", asked, position)
                    .isBetween(
                            now - passed[asked] - APART - 30 * MILLI, now - passed[asked] + APART);
        }
    }
}
