// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out what a data directory can do by writing one block into a file that is deleted again.
 */
final class DirectoryProbe {

    private static final Logger LOGGER = LoggerFactory.getLogger(DirectoryProbe.class);

    private DirectoryProbe() {}

    /** Whether files there can be written past the page cache. */
    record Result(boolean direct) {}

    /**
     * Fails when nothing can be written. A full directory that already holds resources is accepted:
     * they must be recoverable and readable just then.
     */
    static Result run(Path directory) throws IOException {
        Path file = directory.resolve("probe" + FileCreation.PROVISIONAL);
        try {
            writeBlock(file);
            return new Result(canBypassCache(file));
        } catch (IOException e) {
            if (!LinuxFile.saysNoSpace(e) || !holdsResources(directory)) {
                throw e;
            }
            LOGGER.warn(
                    "Data directory {} is full: writers will stall until space is free", directory);
            return new Result(opensDirect(file));
        } finally {
            Files.deleteIfExists(file);
        }
    }

    private static void writeBlock(Path file) throws IOException {
        try (FileChannel channel =
                FileChannel.open(
                        file, Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE))) {
            FileCalls.writeZeros(channel, 0, FileCalls.ALIGNMENT);
            channel.force(false);
        }
    }

    private static boolean canBypassCache(Path file) {
        try (FileChannel channel = CacheBypass.open(file, true)) {
            FileCalls.writeZeros(channel, 0, FileCalls.ALIGNMENT);
            return true;
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }

    /** All that can be found out without space for a block; no probe file at all means no. */
    private static boolean opensDirect(Path file) {
        try (FileChannel channel = CacheBypass.open(file, true)) {
            return channel.isOpen();
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }

    private static boolean holdsResources(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.anyMatch(
                    entry -> Files.isDirectory(entry) && !entry.endsWith("lost+found"));
        }
    }
}
