// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class CellPatternTest {

    private final CellPattern pattern = new CellPattern(1);

    @Test
    void aCellNamesItsWriteAndItsPlace() {
        long value = pattern.cell(3, 123_456, 789);

        assertThat(pattern.claimedVersion(value)).isEqualTo(789);
        assertThat(pattern.claimedIndex(3, value)).isEqualTo(123_456);
        assertThat(pattern.claimedIndex(4, value)).isNotEqualTo(123_456);
        assertThat(pattern.cell(3, 5, CellPattern.ZERO)).isZero();
    }

    @Test
    void everyCutOfTheRangeFillsTheSameBytes() {
        byte[] whole = new byte[64];
        pattern.fill(1, 1_000, 2, ByteBuffer.wrap(whole));
        for (int from = 0; from < 20; from++) {
            for (int to = from; to < 64; to++) {
                ByteBuffer part = ByteBuffer.allocate(to - from).order(ByteOrder.LITTLE_ENDIAN);
                pattern.fill(1, 1_000 + from, 2, part);
                assertThat(part.array()).isEqualTo(Arrays.copyOfRange(whole, from, to));
            }
        }
        assertThat(CellPattern.valueAt(whole, 0)).isEqualTo(pattern.cell(1, 125, 2));
    }
}
