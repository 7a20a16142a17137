// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The directory that holds everything an engine keeps, locked by it alone until {@link #close}.
 * Callable from any thread.
 */
public final class DataDirectory implements AutoCloseable {

    private static final Logger LOGGER = LoggerFactory.getLogger(DataDirectory.class);
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]+");

    private final Path path;
    private final DirectoryLock lock;
    private final FileStore store;
    private final boolean direct;

    private DataDirectory(Path path, DirectoryLock lock, FileStore store, boolean direct) {
        this.path = path;
        this.lock = lock;
        this.store = store;
        this.direct = direct;
    }

    /**
     * Begins to use the directory, which is locked for this process: makes sure of its id, finds
     * out what it can do, and clears away what a crash has left. A refusal gives the lock back and
     * leaves everything as it was.
     */
    public static DataDirectory open(DirectoryLock lock) throws UnusableDirectoryException {
        Path path = lock.directory();
        try {
            EngineId.requireSound(path);
            FileStore store = Files.getFileStore(path);
            DirectoryProbe.Result probe = DirectoryProbe.run(path);
            lock.writeHolder();
            removeProvisional(path);
            if (!probe.direct()) {
                LOGGER.info(
                        "{} cannot bypass the page cache: logs are written through it and synced",
                        path);
            }
            return new DataDirectory(path, lock, store, probe.direct());
        } catch (IOException e) {
            lock.giveBack();
            throw UnusableDirectoryException.because(path, e);
        } catch (UnusableDirectoryException e) {
            lock.giveBack();
            throw e;
        }
    }

    /**
     * The engine's id, 16 hex digits, made when there is none yet; empty while a full directory has
     * no space for one.
     */
    public String engineId() throws UnusableDirectoryException {
        try {
            return EngineId.of(path);
        } catch (IOException e) {
            throw UnusableDirectoryException.because(path, e);
        }
    }

    /** Whether transfers can bypass the page cache. */
    boolean direct() {
        return direct;
    }

    /** The path of a name of the storage port. */
    Path resolve(String name) {
        Path resolved = path;
        if (!name.isEmpty()) {
            for (String part : name.split("/", -1)) {
                if (!isName(part)) {
                    throw new IllegalArgumentException("not a name of the data directory");
                }
                resolved = resolved.resolve(part);
            }
        }
        return resolved;
    }

    long usableBytes() {
        try {
            return store.getUsableSpace();
        } catch (IOException e) {
            return 0;
        }
    }

    /** Releases the lock, after everything that used the directory has ended. */
    @Override
    public void close() {
        lock.release();
    }

    static boolean isName(String part) {
        return NAME.matcher(part).matches() && !part.equals(".") && !part.equals("..");
    }

    /** The directory part of a name; empty for a name directly in the data directory. */
    static String parent(String name) {
        int slash = name.lastIndexOf('/');
        return slash < 0 ? "" : name.substring(0, slash);
    }

    /** Removes what a crash has left of creations that were never completed. */
    private static void removeProvisional(Path root) throws IOException {
        Files.walkFileTree(root, new Leftovers());
    }

    /** What cannot be looked into, such as {@code lost+found}, is not the engine's. */
    private static final class Leftovers extends SimpleFileVisitor<Path> {

        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
            if (file.getFileName().toString().endsWith(FileCreation.PROVISIONAL)) {
                Files.deleteIfExists(file);
            }
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFileFailed(Path file, IOException failure) {
            LOGGER.warn("Cannot look for leftovers of creations: {}", failure.toString());
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException failure) {
            return failure == null ? FileVisitResult.CONTINUE : visitFileFailed(directory, failure);
        }
    }
}
