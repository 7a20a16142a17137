// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A command that did not get what it asked for: one line that says what, why (who holds it) and the
 * next command, and an exit code.
 */
final class CommandFailure extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final ExitCode exitCode;

    /**
     * @throws IllegalArgumentException when a part says nothing
     */
    CommandFailure(ExitCode exitCode, String what, String why, String next) {
        super(line(what, why, next), null, false, false);
        this.exitCode = exitCode;
    }

    ExitCode exitCode() {
        return exitCode;
    }

    private static String line(String what, String why, String next) {
        if (what.isBlank() || why.isBlank() || next.isBlank()) {
            throw new IllegalArgumentException("a failure that does not say what, why and next");
        }
        return Stream.of(what, why, "next: " + next)
                .map(part -> part.strip().replaceAll("\\s*\\R\\s*", " "))
                .collect(Collectors.joining("; "));
    }
}
