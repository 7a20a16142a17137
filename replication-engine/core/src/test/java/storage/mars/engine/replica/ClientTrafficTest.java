// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import storage.mars.engine.export.Attachment;
import storage.mars.engine.export.BlockRequest;
import storage.mars.engine.export.Outcome;
import storage.mars.engine.export.Traffic;
import storage.mars.engine.fake.FakePorts;

/** What is counted, and said, of the clients of a resource. */
class ClientTrafficTest {

    private final MembersRig rig = MembersRig.primary();

    private static final class Write extends BlockRequest {

        private boolean done;

        Write() {
            op = Op.WRITE;
            length = 4096;
            data = ByteBuffer.allocateDirect(4096);
        }

        @Override
        protected void completed(Outcome outcome) {
            done = true;
        }
    }

    private Traffic traffic() {
        return Objects.requireNonNull(rig.known().counters().traffic());
    }

    @Test
    void whatEndsAfterItsClientHasGoneIsNotCounted() {
        Attachment client = rig.attach("client");
        Write first = new Write();
        client.submit(first);
        rig.fake.run();
        rig.fake.hold(FakePorts.every(FakePorts.Kind.LOG_WRITE));
        Write late = new Write();
        client.submit(late);
        rig.fake.run();
        client.close();
        rig.fake.holdNothing();

        assertThat(first.done && late.done).isTrue();
        assertThat(traffic().requests(BlockRequest.Op.WRITE)).isEqualTo(1);
        assertThat(traffic().writtenBytes()).isEqualTo(4096);
    }

    @Test
    void aRefusalNamesAFewOfManyClients() {
        IntStream.range(0, 100).forEach(i -> rig.attach("client-" + i));
        MembersRig.Answer answer = new MembersRig.Answer();
        rig.host.demote("r", false, null, answer);
        rig.fake.run();

        assertThat(Objects.requireNonNull(answer.refusal).reason())
                .contains("r/v by client-0", "r/v by client-4", "95 more")
                .doesNotContain("client-5");
    }
}
