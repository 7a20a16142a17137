// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.control;

import java.time.Duration;
import storage.mars.engine.replica.NextStep;
import storage.mars.engine.replica.Refusal;

/** What the control API itself refuses. */
final class Refusals {

    private Refusals() {}

    static Refusal invalid(String message, String reason, NextStep next) {
        return new Refusal(Refusal.Kind.INVALID, "InvalidArgument", message, reason, next);
    }

    static Refusal notSupported(String message, String reason, NextStep next) {
        return new Refusal(Refusal.Kind.INVALID, "NotSupported", message, reason, next);
    }

    /** A change that goes on. */
    static Refusal notYet(String resource, Duration limit) {
        return expired(
                resource + " is not changed yet",
                "it was not done within " + limit.toSeconds() + " s and goes on",
                NextStep.status(resource));
    }

    /** A question. */
    static Refusal unanswered(String what, Duration limit) {
        return expired(
                what + " is not known now",
                "the engine did not find it out within " + limit.toSeconds() + " s",
                NextStep.advice(
                        "repeat it; when it does not get better, look at /q/health/live and"
                                + " restart the engine"));
    }

    private static Refusal expired(String message, String reason, NextStep next) {
        return new Refusal(Refusal.Kind.UNAVAILABLE, "Expired", message, reason, next);
    }

    static Refusal tooMany(String message, String reason, NextStep next) {
        return new Refusal(Refusal.Kind.UNAVAILABLE, "Busy", message, reason, next);
    }
}
