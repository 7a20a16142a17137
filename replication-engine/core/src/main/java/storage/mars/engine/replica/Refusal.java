// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.util.regex.Pattern;
import storage.mars.engine.port.IoFailure;

/**
 * Why something that was asked for is not done: what, why (and who holds it), and what gets
 * further. All three are there, each in one line; a refusal that lacks one cannot be made.
 *
 * @param code for programs, CamelCase and stable
 */
public record Refusal(Kind kind, String code, String message, String reason, NextStep next) {

    private static final Pattern LINE_BREAK = Pattern.compile("\\s*\\R\\s*");

    /** How a protocol classes it. */
    public enum Kind {
        NOT_FOUND,
        ALREADY_EXISTS,
        INVALID,
        PRECONDITION,
        UNAVAILABLE,
        STORAGE
    }

    public Refusal {
        message = line(message);
        reason = line(reason);
        if (code.isBlank() || message.isEmpty() || reason.isEmpty()) {
            throw new IllegalArgumentException("a refusal that does not say what and why");
        }
    }

    /** Bad input: {@code next} says what to type instead. */
    static Refusal invalid(String message, String reason, NextStep next) {
        return new Refusal(Kind.INVALID, "InvalidArgument", message, reason, next);
    }

    static Refusal precondition(String code, String message, String reason, NextStep next) {
        return new Refusal(Kind.PRECONDITION, code, message, reason, next);
    }

    static Refusal unavailable(String code, String message, String reason, NextStep next) {
        return new Refusal(Kind.UNAVAILABLE, code, message, reason, next);
    }

    static Refusal storage(String message, String reason, NextStep next) {
        return new Refusal(Kind.STORAGE, "StorageFailed", message, reason, next);
    }

    /** {@code next} is for a device that fails; a full one needs space. */
    static Refusal storage(String message, IoFailure failure, NextStep next) {
        return failure.kind() == IoFailure.Kind.NO_SPACE
                ? new Refusal(
                        Kind.STORAGE,
                        "NoSpace",
                        message,
                        words(failure),
                        NextStep.advice("free space in the data directory, then repeat it"))
                : storage(message, words(failure), next);
    }

    private static String words(IoFailure failure) {
        return failure.message().isBlank() ? failure.toString() : failure.message();
    }

    /** As one line, without space around it. */
    static String line(String text) {
        return LINE_BREAK.matcher(text.strip()).replaceAll(" ");
    }

    @Override
    public String toString() {
        return message + "; " + reason + "; next: " + next;
    }
}
