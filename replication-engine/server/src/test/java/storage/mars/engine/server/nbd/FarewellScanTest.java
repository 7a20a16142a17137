// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class FarewellScanTest {

    private static final byte[] DISC = Wire.request(Nbd.CMD_DISC, 0, 1, 0, 0);
    private static final byte[] FLUSH = Wire.request(Nbd.CMD_FLUSH, 0, 1, 0, 99);

    @SuppressWarnings("ArrayRecordComponent")
    record Row(String stream, long skip, byte[] bytes, boolean farewell) {
        @Override
        public String toString() {
            return stream;
        }
    }

    static Stream<Row> streams() {
        return Stream.of(
                new Row("nothing", 0, new byte[0], false),
                new Row("a farewell", 0, DISC, true),
                new Row("a farewell behind requests", 0, Wire.join(FLUSH, write(DISC), DISC), true),
                new Row("a farewell behind a payload", 7, Wire.join(new byte[7], DISC), true),
                new Row("a request", 0, FLUSH, false),
                new Row("a payload that looks like one", 0, write(DISC), false),
                new Row("a rest of payload that looks like one", 28, DISC, false),
                new Row("an unfinished payload", 0, Wire.request(1, 0, 1, 0, 28), false),
                new Row("half of one", 0, java.util.Arrays.copyOf(DISC, 27), false),
                new Row("one behind garbage", 0, Wire.join(new byte[28], DISC), false));
    }

    @ParameterizedTest
    @MethodSource("streams")
    void farewellIsFoundOnlyWhereARequestBegins(Row row) {
        FarewellScan whole = new FarewellScan();
        whole.skip(row.skip());
        whole.look(ByteBuffer.wrap(row.bytes()));
        FarewellScan pieces = new FarewellScan();
        pieces.skip(row.skip());
        for (byte each : row.bytes()) {
            pieces.look(ByteBuffer.wrap(new byte[] {each}));
        }

        assertThat(whole.found()).isEqualTo(row.farewell());
        assertThat(pieces.found()).isEqualTo(row.farewell());
    }

    private static byte[] write(byte[] payload) {
        return Wire.write(0, 1, 0, payload);
    }
}
