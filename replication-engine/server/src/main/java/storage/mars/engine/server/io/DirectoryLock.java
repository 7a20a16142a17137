// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
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

    /** So often a lock file may go away under an engine that is about to lock it. */
    private static final int TRIES = 20;

    private final Path directory;
    private final LockFile file;
    private final boolean createdDirectory;
    private final FileTime modified;

    private DirectoryLock(
            Path directory, LockFile file, boolean createdDirectory, FileTime modified) {
        this.directory = directory;
        this.file = file;
        this.createdDirectory = createdDirectory;
        this.modified = modified;
    }

    /**
     * Locks the directory, creating it (not its parents) when it is missing. A refusal leaves
     * nothing that was created here.
     */
    public static DirectoryLock take(Path given) throws UnusableDirectoryException {
        Path directory = given.toAbsolutePath().normalize();
        boolean created = false;
        DirectoryLock lock = null;
        try {
            for (int i = 1; lock == null; i++) {
                created |= createMissing(directory);
                lock = tryToTake(directory, created, i == TRIES);
            }
            return lock;
        } catch (IOException e) {
            throw UnusableDirectoryException.because(directory, e);
        } finally {
            if (lock == null && created) {
                removeEmpty(directory);
            }
        }
    }

    /** Null when the lock file went away meanwhile, so that another try may do, unless the last. */
    private static @Nullable DirectoryLock tryToTake(Path directory, boolean created, boolean last)
            throws IOException, UnusableDirectoryException {
        FileTime modified;
        LockFile file;
        try {
            modified = Files.getLastModifiedTime(directory);
            file = LockFile.open(directory.resolve(FILE));
        } catch (NoSuchFileException e) {
            if (last) {
                throw e;
            }
            return null;
        }
        DirectoryLock lock = new DirectoryLock(directory, file, created, modified);
        LockFile.Taken taken = lock.lockOrGiveBack();
        if (taken == LockFile.Taken.OURS) {
            return lock;
        }
        try {
            if (taken == LockFile.Taken.ANOTHERS) {
                throw inUse(directory, file);
            }
            if (last) {
                throw beingRemoved(directory);
            }
            return null;
        } finally {
            file.close();
        }
    }

    private LockFile.Taken lockOrGiveBack() throws IOException {
        try {
            return file.lock();
        } catch (IOException e) {
            giveBack();
            throw e;
        }
    }

    private static UnusableDirectoryException beingRemoved(Path directory) {
        return new UnusableDirectoryException(
                "data directory "
                        + directory
                        + " is in use by another engine, which is giving it up: start again, or"
                        + " remove "
                        + directory.resolve(FILE)
                        + " when no engine is left");
    }

    /** Ends the lock of a directory that was in use. */
    void release() {
        file.close();
    }

    Path directory() {
        return directory;
    }

    /** Ends the lock of a directory that is not used: what was created for it goes again. */
    public void giveBack() {
        try {
            file.removeIfCreated();
            if (!createdDirectory) {
                Files.setLastModifiedTime(directory, modified);
            }
        } catch (IOException e) {
            LOGGER.debug("Cannot tidy up {}: {}", directory, e.getMessage());
        }
        if (createdDirectory) {
            removeEmpty(directory);
        }
        file.close();
    }

    private static void removeEmpty(Path directory) {
        try {
            Files.deleteIfExists(directory);
        } catch (IOException e) {
            LOGGER.debug("Cannot remove {}: {}", directory, e.getMessage());
        }
    }

    private static boolean createMissing(Path directory) throws UnusableDirectoryException {
        if (Files.isDirectory(directory)) {
            return false;
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
        } catch (FileAlreadyExistsException e) {
            requireNoFile(directory);
            return false;
        } catch (IOException e) {
            throw UnusableDirectoryException.because(directory, e);
        }
    }

    /** A directory may have been created by another engine just now, and be gone again. */
    private static void requireNoFile(Path directory) throws UnusableDirectoryException {
        if (Files.exists(directory) && !Files.isDirectory(directory)) {
            throw new UnusableDirectoryException(
                    "--data-dir " + directory + " is not a directory: choose another one");
        }
    }

    private static UnusableDirectoryException inUse(Path directory, LockFile file)
            throws IOException {
        String process = file.read();
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
            file.write(ProcessHandle.current().pid() + "\n");
        } catch (IOException e) {
            LOGGER.debug("Cannot name this process in {}: {}", FILE, e.getMessage());
        }
    }
}
