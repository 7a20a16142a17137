// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Set;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The random identity of a data directory, and so of its engine: made at the first start, durable
 * before anybody hears of it, the same ever after, whatever the engine is called.
 */
final class EngineId {

    private static final Logger LOGGER = LoggerFactory.getLogger(EngineId.class);
    private static final String FILE = "engine.id";
    private static final Pattern FORM = Pattern.compile("[0-9a-f]{16}\n?");
    private static final int MOST_BYTES = 64;

    private EngineId() {}

    /**
     * The id of {@code directory}, 16 hex digits; empty in a full directory that has none yet and
     * where the next start tries again.
     */
    static String of(Path directory) throws IOException, UnusableDirectoryException {
        Path file = directory.resolve(FILE);
        try {
            return read(file);
        } catch (NoSuchFileException e) {
            return firstOf(file);
        }
    }

    /** Refuses a directory whose id is damaged; changes nothing. */
    static void requireSound(Path directory) throws IOException, UnusableDirectoryException {
        try {
            read(directory.resolve(FILE));
        } catch (NoSuchFileException e) {
            LOGGER.debug("{} has no id yet", directory);
        }
    }

    private static String read(Path file) throws IOException, UnusableDirectoryException {
        String text =
                Files.size(file) <= MOST_BYTES
                        ? Files.readString(file, StandardCharsets.ISO_8859_1)
                        : "";
        if (!FORM.matcher(text).matches()) {
            throw new UnusableDirectoryException(
                    file
                            + " holds no engine id (16 hex digits): restore it, or remove it to get"
                            + " a new one");
        }
        return text.strip();
    }

    private static String firstOf(Path file) throws IOException {
        byte[] random = new byte[8];
        new SecureRandom().nextBytes(random);
        String id = HexFormat.of().formatHex(random);
        try {
            write(file, id + "\n");
            return id;
        } catch (IOException e) {
            if (!LinuxFile.saysNoSpace(e)) {
                throw e;
            }
            LOGGER.warn("The engine has no id yet: there is no space for {}", file);
            return "";
        }
    }

    private static void write(Path file, String text) throws IOException {
        Path provisional = file.resolveSibling(FILE + FileCreation.PROVISIONAL);
        try {
            try (FileChannel channel =
                    FileChannel.open(
                            provisional,
                            Set.of(
                                    StandardOpenOption.CREATE,
                                    StandardOpenOption.TRUNCATE_EXISTING,
                                    StandardOpenOption.WRITE))) {
                ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1));
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                channel.force(true);
            }
            Files.move(provisional, file, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(provisional);
        }
        FileCalls.syncDirectoryOf(file);
    }
}
