// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.control;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import storage.mars.engine.api.RefusalTrailer;
import storage.mars.engine.replica.NextStep;
import storage.mars.engine.replica.Refusal;
import storage.mars.engine.server.host.RefusedException;

/** Each kind of refusal has its status, and arrives with all of its parts. */
class ControlStatusTest {

    @ParameterizedTest
    @CsvSource({
        "NOT_FOUND, NotFound, NOT_FOUND",
        "ALREADY_EXISTS, AlreadyExists, ALREADY_EXISTS",
        "INVALID, InvalidArgument, INVALID_ARGUMENT",
        "INVALID, NotSupported, UNIMPLEMENTED",
        "PRECONDITION, StaleTerm, FAILED_PRECONDITION",
        "UNAVAILABLE, MemberUnreachable, UNAVAILABLE",
        "UNAVAILABLE, Expired, UNAVAILABLE",
        "STORAGE, StorageFailed, INTERNAL",
        "STORAGE, NoSpace, RESOURCE_EXHAUSTED"
    })
    void refusalBecomesStatus(Refusal.Kind kind, String code, Status.Code expected) {
        Refusal refusal = new Refusal(kind, code, "what", "why", NextStep.status("r"));

        StatusRuntimeException status =
                ControlStatus.of(new CompletionException(new RefusedException(refusal)));

        assertThat(status.getStatus().getCode()).isEqualTo(expected);
        assertThat(status.getStatus().getDescription())
                .isEqualTo("what; why; next: marsadm status r");
        assertThat(RefusalTrailer.of(status))
                .hasValueSatisfying(sent -> {
                    assertThat(sent.getCode()).isEqualTo(code);
                    assertThat(sent.getMessage()).isEqualTo("what");
                    assertThat(sent.getReason()).isEqualTo("why");
                    assertThat(sent.getNextCommand()).isEqualTo("marsadm status r");
                });
    }

    @Test
    void faultOfTheEngineIsInternalAndNoRefusal() {
        StatusRuntimeException status = ControlStatus.of(new IllegalStateException("broken"));

        assertThat(status.getStatus().getCode()).isEqualTo(Status.Code.INTERNAL);
        assertThat(RefusalTrailer.of(status)).isEmpty();
    }
}
