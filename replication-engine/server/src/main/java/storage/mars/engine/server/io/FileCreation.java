// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import storage.mars.engine.port.Storage.Kind;

/**
 * Creates a file under a provisional name and renames it when it is complete and durable, so that a
 * crash at any moment leaves the whole file or none. A log is allocated and written with zeros: its
 * later syncs then need no change of the file system's own metadata.
 */
final class FileCreation {

    /** Ends provisional names; no name of the port can contain it. */
    static final String PROVISIONAL = "~";

    private FileCreation() {}

    static OpenFile create(Path path, Kind kind, long size, boolean direct) throws IOException {
        Path provisional = path.resolveSibling(path.getFileName() + PROVISIONAL);
        createEmpty(provisional);
        try {
            if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
                throw new FileAlreadyExistsException(path.toString());
            }
            return complete(provisional, path, kind, size, direct);
        } catch (IOException | RuntimeException e) {
            Files.deleteIfExists(provisional);
            throw e;
        }
    }

    private static OpenFile complete(
            Path provisional, Path path, Kind kind, long size, boolean direct) throws IOException {
        reserve(provisional, kind, size);
        OpenFile file = OpenFile.open(provisional, kind, direct);
        try {
            if (kind != Kind.IMAGE) {
                file.fillWithZeros();
            }
            file.syncWhole();
            Files.move(provisional, path, StandardCopyOption.ATOMIC_MOVE);
            syncOrRemove(path);
            return file;
        } catch (IOException e) {
            file.closeAfter(e);
            throw e;
        }
    }

    /** A file that is not known to be there after a crash is no file: it would only take space. */
    private static void syncOrRemove(Path path) throws IOException {
        try {
            FileCalls.syncDirectoryOf(path);
        } catch (IOException e) {
            Files.deleteIfExists(path);
            throw e;
        }
    }

    private static void createEmpty(Path path) throws IOException {
        FileChannel.open(
                        path,
                        Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rw-------")))
                .close();
    }

    private static void reserve(Path path, Kind kind, long size) throws IOException {
        try (LinuxFile file = LinuxFile.open(path)) {
            file.truncate(size);
            if (kind != Kind.IMAGE && size > 0) {
                file.allocate(0, size);
            }
        }
    }
}
