// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Objects;

/** Whole transfers over a {@link FileChannel}, and the durability of directories. Blocking. */
final class FileCalls {

    /** The unit of all transfers that bypass the page cache: positions, lengths and addresses. */
    static final int ALIGNMENT = 4096;

    private static final int ZERO_CHUNK = 1 << 20;
    private static final ByteBuffer ZEROS =
            ByteBuffer.allocateDirect(ZERO_CHUNK + ALIGNMENT)
                    .alignedSlice(ALIGNMENT)
                    .limit(ZERO_CHUNK)
                    .slice()
                    .asReadOnlyBuffer();

    private FileCalls() {}

    static void readFully(FileChannel channel, long position, ByteBuffer into) throws IOException {
        long at = position;
        while (into.hasRemaining()) {
            int count = channel.read(into, at);
            if (count <= 0) {
                throw new EOFException(
                        "the file ends at " + at + ", " + into.remaining() + " bytes too early");
            }
            at += count;
        }
    }

    static void writeFully(FileChannel channel, long position, ByteBuffer from) throws IOException {
        long at = position;
        while (from.hasRemaining()) {
            at += channel.write(from, at);
        }
    }

    /** Moves the channel's own position: only for channels that one thread writes. */
    static void gatherFully(FileChannel channel, long position, ByteBuffer[] from, int count)
            throws IOException {
        channel.position(position);
        for (int first = 0; first < count; first++) {
            while (from[first].hasRemaining()) {
                channel.write(from, first, count - first);
            }
        }
    }

    static void writeZeros(FileChannel channel, long position, long length) throws IOException {
        ByteBuffer zeros = ZEROS.duplicate();
        long end = position + length;
        for (long at = position; at < end; at += zeros.limit()) {
            zeros.clear().limit((int) Math.min(ZERO_CHUNK, end - at));
            writeFully(channel, at, zeros);
        }
    }

    /** Makes the creation, renaming or deletion of a file durable, by its directory. */
    static void syncDirectoryOf(Path file) throws IOException {
        Path directory = Objects.requireNonNull(file.getParent());
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }
}
