// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HistogramTest {

    private final Histogram histogram = new Histogram();

    @Test
    void whatIsShorterThanAPowerOfTwoIsCountedBelowIt() {
        for (long nanos : new long[] {0, 1, 1023, 1024, 1025, 2047, 2048, Long.MAX_VALUE}) {
            histogram.add(nanos);
        }

        assertThat(histogram.countBelow(0)).isZero();
        assertThat(histogram.countBelow(10)).isEqualTo(3);
        assertThat(histogram.countBelow(11)).isEqualTo(6);
        assertThat(histogram.countBelow(12)).isEqualTo(7);
        assertThat(histogram.countBelow(62)).isEqualTo(7);
        assertThat(histogram.countBelow(63)).isEqualTo(histogram.count()).isEqualTo(8);
    }

    @Test
    void aShareOfAllIsFoundWithinAQuarter() {
        for (int i = 1; i <= 1000; i++) {
            histogram.add(1000L * i);
        }

        assertThat(histogram.quantileNanos(0.5)).isBetween(500_000L, 625_000L);
        assertThat(histogram.quantileNanos(0.99)).isBetween(990_000L, 1_250_000L);
        assertThat(new Histogram().quantileNanos(0.5)).isZero();
    }
}
