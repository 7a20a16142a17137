// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.control;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.concurrent.CompletionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.api.RefusalTrailer;
import storage.mars.engine.replica.Refusal;
import storage.mars.engine.server.host.RefusedException;

/** The one place where refusals and failures become gRPC statuses. */
final class ControlStatus {

    private static final Logger LOGGER = LoggerFactory.getLogger(ControlStatus.class);

    private ControlStatus() {}

    static StatusRuntimeException of(Refusal refusal) {
        return RefusalTrailer.asException(
                code(refusal),
                storage.mars.engine.api.v1.Refusal.newBuilder()
                        .setCode(refusal.code())
                        .setMessage(refusal.message())
                        .setReason(refusal.reason())
                        .setNextCommand(refusal.next().text())
                        .build());
    }

    private static Status.Code code(Refusal refusal) {
        return switch (refusal.code()) {
            case "NotSupported" -> Status.Code.UNIMPLEMENTED;
            case "NoSpace" -> Status.Code.RESOURCE_EXHAUSTED;
            default -> code(refusal.kind());
        };
    }

    static Status.Code code(Refusal.Kind kind) {
        return switch (kind) {
            case NOT_FOUND -> Status.Code.NOT_FOUND;
            case ALREADY_EXISTS -> Status.Code.ALREADY_EXISTS;
            case INVALID -> Status.Code.INVALID_ARGUMENT;
            case PRECONDITION -> Status.Code.FAILED_PRECONDITION;
            case UNAVAILABLE -> Status.Code.UNAVAILABLE;
            case STORAGE -> Status.Code.INTERNAL;
        };
    }

    /** What a call that did not end well ends with; a fault of the engine is logged in full. */
    static StatusRuntimeException of(Throwable failure) {
        Throwable cause = failure;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return switch (cause) {
            case RefusedException refused -> of(refused.refusal());
            case StatusRuntimeException status -> status;
            default -> {
                LOGGER.error("A control call failed", cause);
                yield Status.INTERNAL
                        .withDescription("the engine failed at this call: " + cause)
                        .asRuntimeException();
            }
        };
    }
}
