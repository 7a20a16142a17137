// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import storage.mars.engine.port.IoFailure;

/**
 * Why something that was asked for is not done: what, why (and who holds it), and the command that
 * gets further. {@code next} is written as {@code marsadm VERB …}; empty when there is nothing to
 * do but wait.
 */
public record Refusal(Kind kind, String code, String message, String reason, String next) {

    /** How a protocol classes it. */
    public enum Kind {
        NOT_FOUND,
        ALREADY_EXISTS,
        INVALID,
        PRECONDITION,
        UNAVAILABLE,
        STORAGE
    }

    static Refusal invalid(String message, String reason) {
        return new Refusal(Kind.INVALID, "InvalidArgument", message, reason, "");
    }

    static Refusal precondition(String code, String message, String reason, String next) {
        return new Refusal(Kind.PRECONDITION, code, message, reason, next);
    }

    static Refusal unavailable(String code, String message, String reason, String next) {
        return new Refusal(Kind.UNAVAILABLE, code, message, reason, next);
    }

    static Refusal storage(String message, String reason) {
        return new Refusal(Kind.STORAGE, "StorageFailed", message, reason, "");
    }

    static Refusal storage(String message, IoFailure failure) {
        String code = failure.kind() == IoFailure.Kind.NO_SPACE ? "NoSpace" : "StorageFailed";
        return new Refusal(Kind.STORAGE, code, message, failure.message(), "");
    }

    @Override
    public String toString() {
        return message + "; " + reason + (next.isEmpty() ? "" : "; " + next);
    }
}
