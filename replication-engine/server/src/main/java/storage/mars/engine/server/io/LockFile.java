// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.EnumSet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An open lock file. Only who created it removes it, and only while it has the lock. Before, it is
 * marked as removed, so that who has opened it already does not take its lock for that of the
 * directory. Used by one thread.
 */
final class LockFile {

    private static final Logger LOGGER = LoggerFactory.getLogger(LockFile.class);

    /** The mark: a length that no other lock file has, and that takes no space. */
    private static final long REMOVED = 1 << 20;

    private final Path path;
    private final FileChannel channel;
    private final boolean created;

    /** Kept: the JVM forgets a lock that is garbage, and then grants it again to itself. */
    private @Nullable FileLock held;

    private LockFile(Path path, FileChannel channel, boolean created) {
        this.path = path;
        this.channel = channel;
        this.created = created;
    }

    /** What became of an attempt to lock. */
    enum Taken {
        OURS,
        ANOTHERS,
        /** It was removed since it was opened: open again. */
        GONE
    }

    /**
     * Opens the file, creating it when it is missing. Fails with {@link
     * java.nio.file.NoSuchFileException} when it or its directory goes away meanwhile.
     */
    static LockFile open(Path path) throws IOException {
        try {
            return new LockFile(path, open(path, StandardOpenOption.CREATE_NEW), true);
        } catch (FileAlreadyExistsException e) {
            return new LockFile(path, open(path, StandardOpenOption.READ), false);
        }
    }

    private static FileChannel open(Path path, StandardOpenOption how) throws IOException {
        return FileChannel.open(
                path, EnumSet.of(how, StandardOpenOption.READ, StandardOpenOption.WRITE));
    }

    Taken lock() throws IOException {
        try {
            held = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            return Taken.ANOTHERS;
        }
        if (held == null) {
            return Taken.ANOTHERS;
        }
        return channel.size() == REMOVED ? Taken.GONE : Taken.OURS;
    }

    /** Removes the file if it was created here; called by who has the lock, or cannot lock. */
    void removeIfCreated() throws IOException {
        if (created) {
            // Whatever closes the file ends the lock: not before the file is gone.
            try (RandomAccessFile marked = new RandomAccessFile(path.toFile(), "rw")) {
                marked.setLength(REMOVED);
                Files.deleteIfExists(path);
            }
        }
    }

    /** What the file says, at most 20 bytes. */
    String read() throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(20);
        channel.read(bytes, 0);
        return StandardCharsets.US_ASCII.decode(bytes.flip()).toString().trim();
    }

    void write(String text) throws IOException {
        channel.truncate(0);
        channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)), 0);
    }

    /** Ends the lock. */
    void close() {
        try {
            if (held != null) {
                held.close();
            }
            channel.close();
        } catch (IOException e) {
            LOGGER.debug("Cannot close {}: {}", path, e.getMessage());
        }
    }
}
