// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.IoFailure.Kind;

/** The one place where exceptions of file calls become failures of the storage port. */
final class IoFailures {

    static final IoFailure ENGINE_STOPS =
            new IoFailure(Kind.CLOSED, "the engine is stopping; the operation was not started");

    private IoFailures() {}

    /** What went wrong when {@code what} (a verb and a name) was tried. */
    static IoFailure of(String what, Exception cause) {
        return switch (cause) {
            case NoSuchFileException e -> new IoFailure(Kind.NOT_FOUND, what + ": no such file");
            case FileAlreadyExistsException e ->
                    new IoFailure(Kind.ALREADY_EXISTS, what + ": it exists already");
            case AccessDeniedException e ->
                    new IoFailure(Kind.NOT_PERMITTED, what + ": permission denied");
            case ClosedChannelException e ->
                    new IoFailure(Kind.CLOSED, what + ": the file was closed meanwhile");
            case EOFException e -> new IoFailure(Kind.IO_ERROR, what + ": " + e.getMessage());
            case IOException e when LinuxFile.saysNoSpace(e) ->
                    new IoFailure(Kind.NO_SPACE, what + ": " + reason(e));
            case IOException e -> new IoFailure(Kind.IO_ERROR, what + ": " + reason(e));
            case IllegalArgumentException e ->
                    new IoFailure(Kind.NOT_PERMITTED, what + ": " + e.getMessage());
            default -> new IoFailure(Kind.IO_ERROR, what + ": " + cause);
        };
    }

    private static String reason(IOException failure) {
        String reason = failure instanceof FileSystemException e ? e.getReason() : null;
        if (reason == null) {
            reason = failure.getMessage();
        }
        return reason == null ? failure.toString() : reason;
    }
}
