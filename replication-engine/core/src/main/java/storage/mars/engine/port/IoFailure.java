// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.port;

/** Why an operation of a port failed, in words for the operator. */
public record IoFailure(Kind kind, String message) {

    /** What the engine distinguishes; everything else is {@link #IO_ERROR}. */
    public enum Kind {
        NO_SPACE,
        NOT_FOUND,
        ALREADY_EXISTS,
        /** The object exists, but its size is not the one asked for. */
        WRONG_SIZE,
        NOT_PERMITTED,
        /** The port was closed before the operation was done; nothing is known about its effect. */
        CLOSED,
        IO_ERROR
    }

    @Override
    public String toString() {
        return kind + ": " + message;
    }
}
