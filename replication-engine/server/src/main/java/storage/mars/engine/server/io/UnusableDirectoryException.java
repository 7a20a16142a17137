// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;

/**
 * The data directory cannot be used; the message is one line for the operator: what, why, what to
 * do.
 */
public final class UnusableDirectoryException extends Exception {

    private static final long serialVersionUID = 1L;

    UnusableDirectoryException(String message) {
        super(message);
    }

    static UnusableDirectoryException because(Path path, IOException cause) {
        if (LinuxFile.saysNoSpace(cause)) {
            return new UnusableDirectoryException(
                    "data directory "
                            + path
                            + " is full: free some space there or choose another --data-dir");
        }
        String reason =
                cause instanceof AccessDeniedException
                        ? "permission denied"
                        : cause instanceof FileSystemException e && e.getReason() != null
                                ? e.getReason()
                                : cause.getMessage();
        return new UnusableDirectoryException(
                "data directory "
                        + path
                        + " is not writable ("
                        + reason
                        + "): give this user write access or choose another --data-dir");
    }
}
