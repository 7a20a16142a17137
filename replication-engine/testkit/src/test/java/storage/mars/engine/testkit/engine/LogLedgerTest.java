// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import storage.mars.engine.log.FrameView;
import storage.mars.engine.testkit.schedule.SimFailure;

class LogLedgerTest {

    private static final int POSITION = 16;
    private static final int EPOCH = 48;
    private static final int WALL_CLOCK = 56;

    private final LogLedger ledger = new LogLedger();

    /** A descriptor without records. */
    private static FrameView frame(long position, long epoch, long wallMicros) {
        ByteBuffer block = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
        block.putLong(POSITION, position).putLong(EPOCH, epoch).putLong(WALL_CLOCK, wallMicros);
        return new FrameView().wrap(block, 0);
    }

    @Test
    void nobodyGetsAFrameBeforeItIsDurableSomewhere() {
        FrameView frame = frame(4096, 7, 1);
        ledger.written("a", frame);
        ledger.written("a", frame);

        assertThatThrownBy(() -> ledger.written("b", frame))
                .isInstanceOf(SimFailure.class)
                .hasMessageContaining("b got the frame")
                .hasMessageContaining("before it was durable");
        ledger.durable(frame(4096, 8, 1));
        assertThatThrownBy(() -> ledger.written("b", frame)).isInstanceOf(SimFailure.class);
        ledger.durable(frame);
        ledger.written("b", frame);
    }

    @Test
    void aPositionOfAnEpochIsOneFrameForEver() {
        ledger.written("a", frame(4096, 7, 1));
        ledger.durable(frame(4096, 7, 1));

        assertThatThrownBy(() -> ledger.written("b", frame(4096, 7, 2)))
                .isInstanceOf(SimFailure.class)
                .hasMessageContaining("an epoch has been continued");
        ledger.written("b", frame(4096, 8, 2));
        ledger.written("b", frame(8192, 7, 2));
    }
}
