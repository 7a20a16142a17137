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
import java.nio.file.attribute.FileTime;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The exclusive lock on a data directory, which the kernel gives back when the process ends in
 * whatever way. Until the directory is used, nothing in it that was there is changed; from then on
 * the lock file names the process that holds it.
 */
public final class DirectoryLock {

    private static final Logger LOGGER = LoggerFactory.getLogger(DirectoryLock.class);
    private static final String FILE = "engine.lock";

    private final Path directory;
    private final FileChannel channel;
    private final boolean createdDirectory;
    private final boolean createdFile;
    private final FileTime modified;

    private DirectoryLock(
            Path directory,
            FileChannel channel,
            boolean createdDirectory,
            boolean createdFile,
            FileTime modified) {
        this.directory = directory;
        this.channel = channel;
        this.createdDirectory = createdDirectory;
        this.createdFile = createdFile;
        this.modified = modified;
    }

    /** Locks the directory, creating it (not its parents) when it is missing. */
    public static DirectoryLock take(Path given) throws UnusableDirectoryException {
        Path directory = given.toAbsolutePath().normalize();
        boolean createdDirectory = createMissing(directory);
        Path file = directory.resolve(FILE);
        boolean createdFile = !Files.exists(file);
        FileChannel channel = null;
        try {
            FileTime modified = Files.getLastModifiedTime(directory);
            channel =
                    FileChannel.open(
                            file,
                            Set.of(
                                    StandardOpenOption.CREATE,
                                    StandardOpenOption.READ,
                                    StandardOpenOption.WRITE));
            DirectoryLock lock =
                    new DirectoryLock(directory, channel, createdDirectory, createdFile, modified);
            if (!isTaken(channel)) {
                throw inUse(directory, channel);
            }
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

    Path directory() {
        return directory;
    }

    /** Ends the lock of a directory that is not used: what was created for it goes again. */
    public void giveBack() {
        try {
            if (createdFile) {
                Files.deleteIfExists(directory.resolve(FILE));
            }
            if (createdDirectory) {
                Files.deleteIfExists(directory);
            } else {
                Files.setLastModifiedTime(directory, modified);
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
                isRunning(process) ? "another engine (process " + process + ")" : "another engine";
        return new UnusableDirectoryException(
                "data directory "
                        + directory
                        + " is in use by "
                        + who
                        + ": stop that engine or choose another --data-dir");
    }

    /** One that has only just taken the lock has not replaced the name of the one before yet. */
    private static boolean isRunning(String process) {
        return process.matches("\\d{1,18}")
                && ProcessHandle.of(Long.parseLong(process)).isPresent();
    }

    /** Names this process in the lock file: the directory is used now. */
    void writeHolder() {
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
