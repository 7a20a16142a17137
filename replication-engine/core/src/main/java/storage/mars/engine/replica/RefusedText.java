// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import org.jspecify.annotations.Nullable;

/**
 * The text of a REFUSED message, for the operator of the engine that asked: why, and what gets
 * further. What another engine has written may lack either.
 */
record RefusedText(String reason, @Nullable NextStep next) {

    private static final String NEXT = "; next: ";

    /** As it is sent. */
    static String of(String reason, NextStep next) {
        return reason + NEXT + next;
    }

    /** Of whatever was received. */
    static RefusedText parse(String text) {
        String line = Refusal.line(text);
        int at = line.lastIndexOf(NEXT);
        if (at < 0 || line.substring(at + NEXT.length()).isBlank()) {
            return new RefusedText(line, null);
        }
        return new RefusedText(
                line.substring(0, at), NextStep.advice(line.substring(at + NEXT.length())));
    }

    NextStep nextOr(NextStep usual) {
        return next == null ? usual : next;
    }
}
