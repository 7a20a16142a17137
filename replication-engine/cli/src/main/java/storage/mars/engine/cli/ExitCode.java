// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

/** How a command ended, for scripts; the numbers stand in docs/marsadm.md. */
enum ExitCode {
    OK(0),
    REFUSED(1),
    USAGE(2),
    NOT_REACHED(3),
    TIMED_OUT(4);

    private final int number;

    ExitCode(int number) {
        this.number = number;
    }

    int number() {
        return number;
    }
}
