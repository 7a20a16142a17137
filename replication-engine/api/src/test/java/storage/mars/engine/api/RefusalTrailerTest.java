// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import org.junit.jupiter.api.Test;
import storage.mars.engine.api.v1.Refusal;

class RefusalTrailerTest {

    private static final Refusal EXPORTS_OPEN =
            Refusal.newBuilder()
                    .setCode("ExportsOpen")
                    .setMessage("r cannot be handed over")
                    .setReason("export r/data is open by 10.0.0.7 on a")
                    .setNextCommand("marsadm primary r --close-exports")
                    .build();

    @Test
    void refusalTravelsBesideTheStatusUnchanged() {
        var failure = RefusalTrailer.asException(Status.Code.FAILED_PRECONDITION, EXPORTS_OPEN);

        assertThat(RefusalTrailer.of(failure)).contains(EXPORTS_OPEN);
        assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
        assertThat(RefusalTrailer.KEY.name()).isEqualTo("mars.engine.v1.refusal-bin");
    }

    @Test
    void descriptionSaysTheSameInOneLine() {
        var failure = RefusalTrailer.asException(Status.Code.FAILED_PRECONDITION, EXPORTS_OPEN);

        assertThat(failure.getStatus().getDescription())
                .isEqualTo(
                        "r cannot be handed over; export r/data is open by 10.0.0.7 on a;"
                                + " next: marsadm primary r --close-exports");
    }

    @Test
    void emptyPartsLeaveNoTraceInTheLine() {
        assertThat(RefusalTrailer.line(Refusal.newBuilder().setMessage("no").build()))
                .isEqualTo("no");
    }

    @Test
    void failureWithoutTrailerIsNoRefusal() {
        assertThat(RefusalTrailer.of(Status.UNAVAILABLE.asRuntimeException())).isEmpty();
    }
}
