// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import storage.mars.engine.export.Outcome;

/**
 * The error codes of the transmission phase, and the one place where an {@link Outcome} becomes
 * one.
 */
final class NbdErrors {

    static final int NONE = 0;
    static final int EPERM = 1;
    static final int EIO = 5;
    static final int EINVAL = 22;
    static final int ENOSPC = 28;
    static final int EOVERFLOW = 75;

    private NbdErrors() {}

    /**
     * The code for an outcome that is answered; {@link Outcome#CLOSED} ends the connection and has
     * none.
     */
    static int codeOf(Outcome outcome) {
        return switch (outcome) {
            case OK -> NONE;
            case READ_ONLY -> EPERM;
            case BEYOND_END -> ENOSPC;
            case INVALID -> EINVAL;
            case FAILED -> EIO;
            case CLOSED -> throw new IllegalArgumentException("CLOSED is not answered");
        };
    }

    /** A line for the person who reads the client's log. */
    static String textOf(int code) {
        return switch (code) {
            case EPERM -> "the export is read-only";
            case EIO -> "the storage of the export has failed";
            case ENOSPC -> "beyond the end of the export";
            case EOVERFLOW -> "longer than the largest request that is served";
            default -> "invalid request";
        };
    }
}
