// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.Runs;
import storage.mars.engine.port.Storage.Kind;

/**
 * The blocking half of a block file: called on I/O threads, several at a time, except that only one
 * thread writes a log. What is written is durable after a later {@link #sync} without failure.
 */
final class OpenFile {

    /**
     * The page cache keeps what one call writes as one unit where it can, and ext4 looks at all
     * blocks of the unit whenever one of them is rewritten: smaller units make random writes of 4
     * KiB several times cheaper, and cost a sequential write little.
     */
    private static final int CACHE_PIECE = 64 << 10;

    private static final int BLOCK = 4096;

    private final Kind kind;
    private final FileChannel channel;
    private final @Nullable FileChannel uncached;
    private final LinuxFile descriptor;
    private final UnsyncedParts unsynced = new UnsyncedParts();
    private volatile long size;

    private OpenFile(
            Kind kind, FileChannel channel, @Nullable FileChannel uncached, LinuxFile descriptor)
            throws IOException {
        this.kind = kind;
        this.channel = channel;
        this.uncached = uncached;
        this.descriptor = descriptor;
        this.size = channel.size();
    }

    /** Opens an existing file; {@code direct}: whether the file system bypasses its cache. */
    static OpenFile open(Path path, Kind kind, boolean direct) throws IOException {
        if (!Files.exists(path)) {
            throw new NoSuchFileException(path.toString());
        }
        if (Files.isDirectory(path)) {
            throw new IOException("it is a directory");
        }
        FileChannel channel = null;
        FileChannel uncached = null;
        try {
            channel = CacheBypass.open(path, direct && kind == Kind.LOG);
            uncached = direct && kind != Kind.LOG ? CacheBypass.open(path, true) : null;
            LinuxFile descriptor = LinuxFile.open(path);
            OpenFile file = new OpenFile(kind, channel, uncached, descriptor);
            if (!direct && kind != Kind.IMAGE) {
                file.forgetCache();
            }
            return file;
        } catch (IOException e) {
            closeQuietly(channel, e);
            closeQuietly(uncached, e);
            throw e;
        }
    }

    long size() {
        return size;
    }

    /**
     * What is read from now on has come from the device, as with a bypassed cache: a failed sync
     * leaves its pages there as if they had been written.
     */
    private void forgetCache() throws IOException {
        try {
            channel.force(false);
            descriptor.dropCache();
        } catch (IOException e) {
            descriptor.close();
            throw e;
        }
    }

    void read(long position, ByteBuffer into) throws IOException {
        if (uncached == null || kind == Kind.IMAGE) {
            FileCalls.readFully(channel, position, into);
        } else {
            readUncached(uncached, position, into);
        }
    }

    /** What the cache has newer goes to the device first. */
    void readDevice(long position, ByteBuffer into, BitSet unlike) throws IOException {
        if (uncached == null || kind != Kind.IMAGE) {
            throw new IOException("the file system has no way around its cache");
        }
        int start = into.position();
        FileCalls.readFully(uncached, position, into);
        ByteBuffer cached = ByteBuffer.allocate(CACHE_PIECE);
        for (int at = start; at < into.limit(); at += cached.limit()) {
            cached.clear().limit(Math.min(CACHE_PIECE, into.limit() - at));
            FileCalls.readFully(channel, position + at - start, cached);
            compare(into.slice(at, cached.limit()), cached.flip(), (at - start) / BLOCK, unlike);
        }
    }

    private static void compare(ByteBuffer one, ByteBuffer other, int first, BitSet unlike) {
        for (int at = 0; at < one.limit(); at += BLOCK) {
            if (one.slice(at, BLOCK).mismatch(other.slice(at, BLOCK)) >= 0) {
                unlike.set(first + at / BLOCK);
            }
        }
    }

    void write(long position, ByteBuffer from) throws IOException {
        if (kind == Kind.IMAGE) {
            writeImage(position, from);
        } else {
            FileCalls.writeFully(channel, position, from);
        }
    }

    @SuppressWarnings("ReferenceEquality") // the same buffer, not one of the same content
    void writeRuns(Runs runs) throws IOException {
        ByteBuffer source = null;
        ByteBuffer view = null;
        for (int i = 0; i < runs.count(); i++) {
            if (view == null || runs.source(i) != source) {
                source = runs.source(i);
                view = source.duplicate().clear();
            }
            int offset = runs.offset(i);
            view.limit(offset + runs.length(i)).position(offset);
            write(runs.position(i), view);
        }
    }

    private void writeImage(long position, ByteBuffer from) throws IOException {
        unsynced.note(position, from.remaining(), size);
        long at = position;
        int end = from.limit();
        while (from.position() < end) {
            int length = Math.min(end - from.position(), CACHE_PIECE);
            FileCalls.writeFully(channel, at, from.limit(from.position() + length));
            at += length;
        }
        from.limit(end);
    }

    void writeDurably(long position, ByteBuffer[] from, int count) throws IOException {
        if (kind == Kind.LOG && count > 1) {
            FileCalls.gatherFully(channel, position, from, count);
        } else {
            long at = position;
            for (int i = 0; i < count; i++) {
                int length = from[i].remaining();
                FileCalls.writeFully(channel, at, from[i]);
                at += length;
            }
        }
        sync();
    }

    /** The blocks of a log stay allocated and written, which is what makes its syncs cheap. */
    void zero(long position, long length) throws IOException {
        if (kind == Kind.LOG || !descriptor.punchHole(position, length)) {
            if (kind == Kind.IMAGE) {
                unsynced.note(position, length, size);
            }
            FileCalls.writeZeros(channel, position, length);
        }
    }

    void sync() throws IOException {
        if (kind == Kind.IMAGE) {
            unsynced.drain(descriptor);
        }
        channel.force(false);
    }

    void resize(long newSize) throws IOException {
        if (newSize < size) {
            throw new IOException("a file of " + size + " bytes does not shrink to " + newSize);
        }
        descriptor.truncate(newSize);
        if (kind == Kind.LOG) {
            FileCalls.writeZeros(channel, size, newSize - size);
        }
        channel.force(true);
        size = newSize;
    }

    /** Writes every byte once, so that all space is taken and no later write changes the layout. */
    void fillWithZeros() throws IOException {
        FileCalls.writeZeros(channel, 0, size);
    }

    /** Makes content, size and layout durable. */
    void syncWhole() throws IOException {
        channel.force(true);
    }

    long nextExtent(long position, long limit) {
        return descriptor.nextExtent(position, limit);
    }

    void close() throws IOException {
        try {
            descriptor.close();
        } finally {
            try {
                if (uncached != null) {
                    uncached.close();
                }
            } finally {
                channel.close();
            }
        }
    }

    /** Closes as part of the handling of an earlier failure. */
    void closeAfter(IOException reason) {
        try {
            close();
        } catch (IOException e) {
            reason.addSuppressed(e);
        }
    }

    /** Reads whole aligned blocks into a buffer between; metadata is small and seldom read. */
    private static void readUncached(FileChannel uncached, long position, ByteBuffer into)
            throws IOException {
        long start = position & -FileCalls.ALIGNMENT;
        int skipped = (int) (position - start);
        int wanted = skipped + into.remaining();
        int whole = (wanted + FileCalls.ALIGNMENT - 1) & -FileCalls.ALIGNMENT;
        ByteBuffer between = ByteBuffer.allocate(whole);
        int count = 0;
        while (between.position() < wanted && count >= 0) {
            count = uncached.read(between, start + between.position());
        }
        if (between.position() < wanted) {
            throw new EOFException("the file ends at " + (start + between.position()));
        }
        into.put(between.flip().limit(wanted).position(skipped));
    }

    private static void closeQuietly(@Nullable FileChannel channel, IOException reason) {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException e) {
            reason.addSuppressed(e);
        }
    }
}
