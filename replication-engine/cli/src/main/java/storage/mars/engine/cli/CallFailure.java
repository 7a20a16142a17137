// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import storage.mars.engine.api.RefusalTrailer;
import storage.mars.engine.api.v1.Refusal;

/** The one place where a failed call becomes a line and an exit code. */
final class CallFailure {

    private static final String STATUS = "marsadm status";

    private CallFailure() {}

    static CommandFailure of(StatusRuntimeException failure, EngineAddress address) {
        return RefusalTrailer.of(failure)
                .map(refusal -> refused(refusal, address))
                .orElseGet(() -> withoutRefusal(failure, address));
    }

    /** What an engine of another version leaves out is made up for. */
    private static CommandFailure refused(Refusal refusal, EngineAddress address) {
        return new CommandFailure(
                ExitCode.REFUSED,
                said(refusal.getMessage(), "engine " + address + " refuses this command"),
                said(refusal.getReason(), "it gives no reason"),
                address.addressed(said(refusal.getNextCommand(), STATUS)));
    }

    private static String said(String part, String otherwise) {
        return part.isBlank() ? otherwise : part;
    }

    private static CommandFailure withoutRefusal(
            StatusRuntimeException failure, EngineAddress address) {
        Status status = failure.getStatus();
        return switch (status.getCode()) {
            case UNAVAILABLE -> notReached(address, why(status));
            case DEADLINE_EXCEEDED ->
                    new CommandFailure(
                            ExitCode.NOT_REACHED,
                            "engine " + address + " has not answered in time",
                            "it is there, and what was asked may still be done",
                            address.addressed(STATUS));
            case UNIMPLEMENTED ->
                    new CommandFailure(
                            ExitCode.REFUSED,
                            "engine " + address + " does not know this command",
                            "it is of another version than this marsadm",
                            address.addressed("marsadm node"));
            case INTERNAL, UNKNOWN, DATA_LOSS ->
                    new CommandFailure(
                            ExitCode.REFUSED,
                            "engine " + address + " failed at this command",
                            why(status),
                            "read the engine's log");
            default ->
                    new CommandFailure(
                            ExitCode.REFUSED,
                            "engine " + address + " refuses this command",
                            why(status),
                            address.addressed(STATUS));
        };
    }

    static CommandFailure notReached(EngineAddress address, String why) {
        return new CommandFailure(
                ExitCode.NOT_REACHED,
                "engine " + address + " is not reached",
                why,
                "start mars-engine there, or name another with --engine HOST:PORT");
    }

    /** What the transport found, which stands in the innermost cause. */
    private static String why(Status status) {
        Throwable cause = status.getCause();
        while (cause != null && cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (cause != null && cause.getMessage() != null) {
            return cause.getMessage();
        }
        return status.getDescription() == null
                ? status.getCode().toString()
                : status.getDescription();
    }
}
