// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.control;

import storage.mars.engine.replica.Refusal;

/** What the control API itself refuses. */
final class Refusals {

    private Refusals() {}

    static Refusal invalid(String message, String reason) {
        return new Refusal(Refusal.Kind.INVALID, "InvalidArgument", message, reason, "");
    }

    static Refusal notSupported(String message, String reason) {
        return new Refusal(Refusal.Kind.INVALID, "NotSupported", message, reason, "");
    }

    static Refusal expired(String message, String reason, String next) {
        return new Refusal(Refusal.Kind.UNAVAILABLE, "Expired", message, reason, next);
    }

    static Refusal tooMany(String message, String reason) {
        return new Refusal(Refusal.Kind.UNAVAILABLE, "Busy", message, reason, "");
    }
}
