// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import storage.mars.engine.fake.LogRig;

class FrameBuilderTest {

    private static final int BLOCK = Blocks.SIZE;
    private final LogRig rig = new LogRig();

    private List<String> frames() {
        List<String> seen = new ArrayList<>();
        rig.tail.visit(
                rig.tail.memoryStart(),
                rig.tail.end(),
                frame ->
                        seen.add(
                                frame.position() / BLOCK
                                        + "+"
                                        + frame.length() / BLOCK
                                        + ":"
                                        + frame.recordCount()
                                        + (frame.isPad() ? " PAD" : "")));
        return seen;
    }

    @Test
    void recordsOfATurnShareAFrame() {
        rig.write(0, 1, 1);
        rig.range(RecordType.TRIM, 8, 4);
        rig.write(1, 2, 2);
        rig.builder.seal();

        assertThat(frames()).containsExactly("1+4:3");
        assertThat(rig.tail.end()).isEqualTo(5L * BLOCK);
    }

    @Test
    void aFullFrameIsSealedByTheNextRecord() {
        rig.frame(0, 1, 1);
        for (int i = 0; i <= LogFormat.MAX_RECORDS; i++) {
            rig.range(RecordType.ZERO, i, 1);
        }
        for (int i = 0; i < 17; i++) {
            rig.write(16L * i, 16, i);
        }
        rig.builder.seal();

        assertThat(frames()).containsExactly("1+2:1", "3+1:123", "4+241:16", "245+33:2");
    }

    @Test
    void ordersGrowWithTheRecords() {
        rig.write(0, 1, 1);
        long first = rig.builder.order();
        rig.range(RecordType.ZERO, 0, 1);
        long second = rig.builder.order();
        rig.builder.seal();
        rig.write(0, 1, 1);

        assertThat(second).isEqualTo(first + 1);
        assertThat(rig.builder.order()).isGreaterThan(second);
    }

    @Test
    void aFrameThatDoesNotFitIsPrecededByAPad() {
        rig.fillTo(LogRig.SEGMENT - 3 * BLOCK);

        rig.frame(0, 4, 9);

        List<Long> positions = new ArrayList<>();
        rig.tail.visit(
                LogRig.SEGMENT - 3L * BLOCK,
                rig.tail.end(),
                frame -> {
                    positions.add(frame.position());
                    assertThat(frame.isPad()).isEqualTo(frame.position() < LogRig.SEGMENT);
                });
        assertThat(positions)
                .containsExactly(LogRig.SEGMENT - 3L * BLOCK, LogRig.SEGMENT + (long) BLOCK);
        assertThat(rig.tail.durable()).isEqualTo(LogRig.SEGMENT + 6L * BLOCK);
    }

    @Test
    void anExactFillNeedsNoPad() {
        rig.fillTo(LogRig.SEGMENT);
        assertThat(rig.tail.durable()).isEqualTo(LogRig.SEGMENT);

        rig.frame(0, 1, 9);

        assertThat(rig.tail.durable()).isEqualTo(LogRig.SEGMENT + 3L * BLOCK);
        ByteBuffer header = ByteBuffer.wrap(rig.fake.file(LogRig.segment(LogRig.SEGMENT)).data);
        header.order(java.nio.ByteOrder.LITTLE_ENDIAN);
        assertThat(rig.tail.verifier().headerFault(header, 0, LogRig.SEGMENT, rig.history, null))
                .isNull();
    }

    @Test
    void whatWasNotReservedIsABugToldAtOnce() {
        ByteBuffer payload = LogRig.payload(LogFormat.MAX_PAYLOAD, 1);
        rig.builder.reserve(BLOCK, false);

        assertThatThrownBy(() -> rig.builder.append(RecordType.WRITE, 0, 0, payload, 0, 100))
                .isInstanceOf(Invariant.InvariantViolation.class);
        for (int i = 0; i < LogFormat.MAX_RECORDS; i++) {
            rig.builder.appendRange(RecordType.ZERO, 0, 0, BLOCK);
        }
        assertThatThrownBy(() -> rig.builder.appendRange(RecordType.ZERO, 0, 0, BLOCK))
                .isInstanceOf(Invariant.InvariantViolation.class);
    }

    @Test
    void durableAtSealIsTheDurablePositionThen() {
        rig.frame(0, 1, 1);
        rig.frame(1, 1, 2);

        List<Long> seen = new ArrayList<>();
        rig.tail.visit(0, rig.tail.end(), frame -> seen.add(frame.durableAtSeal()));
        assertThat(seen).containsExactly(0L, 3L * BLOCK);
    }
}
