// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The exclusive lock on a data directory, which the kernel gives back when the process ends in
 * whatever way. The lock file names the process that holds it.
 */
final class DirectoryLock {

    private static final Logger LOGGER = LoggerFactory.getLogger(DirectoryLock.class);
    private static final String FILE = "engine.lock";

    private final Path directory;
    private final FileChannel channel;
    private final boolean createdDirectory;
    private final boolean createdFile;

    private DirectoryLock(
            Path directory, FileChannel channel, boolean createdDirectory, boolean createdFile) {
        this.directory = directory;
        this.channel = channel;
        this.createdDirectory = createdDirectory;
        this.createdFile = createdFile;
    }

    /** Locks the directory, creating it (not its parents) when it is missing. */
    static DirectoryLock take(Path directory) throws UnusableDirectoryException {
        boolean createdDirectory = createMissing(directory);
        Path file = directory.resolve(FILE);
        boolean createdFile = !Files.exists(file);
        FileChannel channel = null;
        try {
            channel =
                    FileChannel.open(
                            file,
                            Set.of(
                                    StandardOpenOption.CREATE,
                                    StandardOpenOption.READ,
                                    StandardOpenOption.WRITE));
            DirectoryLock lock =
                    new DirectoryLock(directory, channel, createdDirectory, createdFile);
            if (!isTaken(channel)) {
                throw inUse(directory, channel);
            }
            lock.writeHolder();
            return lock;
        } catch (IOException e) {
            close(channel);
            throw UnusableDirectoryException.because(directory, e);
        } catch (UnusableDirectoryException e) {
            close(channel);
            throw e;
        }
    }

    /** Ends the lock of a directory that was in use. */
    void release() {
        close(channel);
    }

    /** Ends the lock of a directory that was found unusable: what was created for it goes again. */
    void giveBack() {
        try {
            if (createdFile) {
                Files.deleteIfExists(directory.resolve(FILE));
            }
            if (createdDirectory) {
                Files.deleteIfExists(directory);
            }
        } catch (IOException e) {
            LOGGER.debug("Cannot tidy up {}: {}", directory, e.getMessage());
        }
        close(channel);
    }

    private static boolean createMissing(Path directory) throws UnusableDirectoryException {
        if (Files.isDirectory(directory)) {
            return false;
        }
        if (Files.exists(directory)) {
            throw new UnusableDirectoryException(
                    "--data-dir " + directory + " is not a directory: choose another one");
        }
        Path parent = directory.getParent();
        if (parent != null && !Files.isDirectory(parent)) {
            throw new UnusableDirectoryException(
                    "--data-dir "
                            + directory
                            + ": "
                            + parent
                            + " does not exist: create it or choose another directory");
        }
        try {
            Files.createDirectory(directory);
            return true;
        } catch (IOException e) {
            throw UnusableDirectoryException.because(directory, e);
        }
    }

    private static boolean isTaken(FileChannel channel) throws IOException {
        try {
            FileLock lock = channel.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    private static UnusableDirectoryException inUse(Path directory, FileChannel channel)
            throws IOException {
        ByteBuffer holder = ByteBuffer.allocate(20);
        channel.read(holder, 0);
        String process = StandardCharsets.US_ASCII.decode(holder.flip()).toString().trim();
        String who =
                process.isEmpty() ? "another engine" : "another engine (process " + process + ")";
        return new UnusableDirectoryException(
                "data directory "
                        + directory
                        + " is in use by "
                        + who
                        + ": stop that engine or choose another --data-dir");
    }

    private void writeHolder() {
        try {
            byte[] holder =
                    (ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII);
            channel.truncate(0);
            channel.write(ByteBuffer.wrap(holder), 0);
        } catch (IOException e) {
            LOGGER.debug("Cannot name this process in {}: {}", FILE, e.getMessage());
        }
    }

    private static void close(@Nullable FileChannel channel) {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException e) {
            LOGGER.debug("Cannot close {}: {}", FILE, e.getMessage());
        }
    }
}
