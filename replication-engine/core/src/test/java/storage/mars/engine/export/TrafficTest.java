// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.export;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import storage.mars.engine.export.BlockRequest.Op;

class TrafficTest {

    private final Traffic traffic = new Traffic();
    private final List<Outcome> told = new ArrayList<>();

    private void ended(Op op, long length, Outcome outcome) {
        BlockRequest request =
                new BlockRequest() {

                    @Override
                    protected void completed(Outcome of) {
                        told.add(of);
                    }
                };
        request.op = op;
        request.length = length;
        request.traffic = traffic;
        request.end(outcome);
    }

    @Test
    void bytesAreOfReadsAndWritesThatWentWell() {
        ended(Op.READ, 100, Outcome.OK);
        ended(Op.WRITE, 20, Outcome.OK);
        ended(Op.TRIM, 4096, Outcome.OK);
        ended(Op.WRITE, 4096, Outcome.FAILED);
        ended(Op.READ, 4096, Outcome.INVALID);

        assertThat(traffic.readBytes()).isEqualTo(100);
        assertThat(traffic.writtenBytes()).isEqualTo(20);
        assertThat(traffic.requests(Op.READ)).isEqualTo(2);
        assertThat(traffic.requests(Op.WRITE)).isEqualTo(2);
        assertThat(traffic.requests(Op.TRIM)).isEqualTo(1);
    }

    @Test
    void errorsOfClientsAndOfStorageAreCountedApart() {
        ended(Op.WRITE, 1, Outcome.READ_ONLY);
        ended(Op.WRITE, 1, Outcome.BEYOND_END);
        ended(Op.READ, 1, Outcome.FAILED);
        traffic.refused();

        assertThat(traffic.invalid()).isEqualTo(3);
        assertThat(traffic.failed()).isEqualTo(1);
    }

    @Test
    void whatGotNoAnswerIsToldAndNotCounted() {
        ended(Op.WRITE, 1, Outcome.CLOSED);

        assertThat(traffic.requests(Op.WRITE)).isZero();
        assertThat(traffic.invalid() + traffic.failed()).isZero();
        assertThat(told).containsExactly(Outcome.CLOSED);
    }
}
