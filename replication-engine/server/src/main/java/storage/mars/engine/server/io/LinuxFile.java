// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.io.IOException;
import java.nio.file.Path;
import jnr.ffi.LastError;
import jnr.ffi.LibraryLoader;
import jnr.ffi.annotations.SaveError;

/**
 * A file descriptor for what {@link java.nio.channels.FileChannel} does not offer: preallocation,
 * holes and growing without writing. The only class that calls native code. Methods block and may
 * be called from any thread; the owner closes it after the last of them has returned.
 */
final class LinuxFile implements AutoCloseable, UnsyncedParts.Writer {

    /** Numbers of the system call interface; the same on x86-64 and aarch64. */
    private static final int O_RDWR = 2;

    private static final int O_CLOEXEC = 0x80000;
    private static final int FALLOC_FL_KEEP_SIZE = 1;
    private static final int FALLOC_FL_PUNCH_HOLE = 2;
    private static final int POSIX_FADV_DONTNEED = 4;
    private static final int SEEK_DATA = 3;
    private static final int SEEK_HOLE = 4;
    private static final int SYNC_FILE_RANGE_WAIT_BEFORE = 1;
    private static final int SYNC_FILE_RANGE_WRITE = 2;
    private static final int EINTR = 4;
    private static final int ENXIO = 6;
    private static final int ENODEV = 19;
    private static final int ENOSPC = 28;
    private static final int ESPIPE = 29;
    private static final int ENOSYS = 38;
    private static final int EOPNOTSUPP = 95;
    private static final int EDQUOT = 122;

    private static final LibC LIBC = LibraryLoader.create(LibC.class).load("c");

    private final Path path;
    private final int descriptor;

    private LinuxFile(Path path, int descriptor) {
        this.path = path;
        this.descriptor = descriptor;
    }

    /** Opens an existing file for reading and writing. */
    static LinuxFile open(Path path) throws IOException {
        int descriptor = LIBC.open(path.toString(), O_RDWR | O_CLOEXEC, 0);
        if (descriptor < 0) {
            throw failure(path, errno());
        }
        return new LinuxFile(path, descriptor);
    }

    /** Whether an exception of any Java file call says that there is no space (or quota) left. */
    static boolean saysNoSpace(IOException failure) {
        String message = String.valueOf(failure.getMessage());
        return message.contains(OutOfSpace.DEVICE) || message.contains(OutOfSpace.QUOTA);
    }

    /** Reserves the space of a range; false when the file system cannot. Not durable by itself. */
    boolean allocate(long position, long length) throws IOException {
        return fallocate(0, position, length);
    }

    /** Gives back the space of a range, which then reads as zero; false when the file cannot. */
    boolean punchHole(long position, long length) throws IOException {
        return fallocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, position, length);
    }

    @Override
    public void begin(long position, long length) throws IOException {
        syncRange(position, length, SYNC_FILE_RANGE_WRITE);
    }

    @Override
    public void await(long position, long length) throws IOException {
        syncRange(position, length, SYNC_FILE_RANGE_WAIT_BEFORE);
    }

    /**
     * No sync: nothing is durable by it. A failure may be told here and then by no later sync of
     * this descriptor, so it counts as one of a sync.
     */
    private void syncRange(long position, long length, int flags) throws IOException {
        int error;
        do {
            error = LIBC.sync_file_range(descriptor, position, length, flags) == 0 ? 0 : errno();
        } while (error == EINTR);
        if (error != 0 && error != ENOSYS && error != ESPIPE) {
            throw failure(path, error);
        }
    }

    /** Drops what the page cache holds of this file and has on the device. */
    void dropCache() throws IOException {
        int error = LIBC.posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
        if (error != 0) {
            throw failure(path, error);
        }
    }

    /** Sets the size; a new part is a hole. */
    void truncate(long size) throws IOException {
        if (LIBC.ftruncate(descriptor, size) != 0) {
            throw failure(path, errno());
        }
    }

    /** The contract of {@link storage.mars.engine.port.BlockFile#nextExtent}. */
    long nextExtent(long position, long limit) {
        long data = LIBC.lseek(descriptor, position, SEEK_DATA);
        if (data < 0) {
            return errno() == ENXIO ? -limit : limit;
        }
        if (data > position) {
            return -Math.min(data, limit);
        }
        long hole = LIBC.lseek(descriptor, position, SEEK_HOLE);
        return hole <= position ? limit : Math.min(hole, limit);
    }

    @Override
    public void close() throws IOException {
        if (LIBC.close(descriptor) != 0 && errno() != EINTR) {
            throw failure(path, errno());
        }
    }

    private boolean fallocate(int mode, long position, long length) throws IOException {
        int error;
        do {
            error = LIBC.fallocate(descriptor, mode, position, length) == 0 ? 0 : errno();
        } while (error == EINTR);
        if (error != 0 && error != EOPNOTSUPP && error != ENOSYS && error != ENODEV) {
            throw failure(path, error);
        }
        return error == 0;
    }

    private static IOException failure(Path path, int error) {
        return new IOException(path + ": " + LIBC.strerror(error));
    }

    private static int errno() {
        return LastError.getLastError(jnr.ffi.Runtime.getRuntime(LIBC));
    }

    /** What this process' C library says, in its language, when space is lacking. */
    private static final class OutOfSpace {
        private static final String DEVICE = LIBC.strerror(ENOSPC);
        private static final String QUOTA = LIBC.strerror(EDQUOT);
    }

    /** The functions of the C library, bound by jnr-ffi; public because it generates the bodies. */
    public interface LibC {

        @SaveError
        int open(String path, int flags, int mode);

        @SaveError
        int close(int descriptor);

        @SaveError
        int fallocate(int descriptor, int mode, long position, long length);

        @SaveError
        int sync_file_range(int descriptor, long position, long length, int flags);

        @SaveError
        int ftruncate(int descriptor, long size);

        int posix_fadvise(int descriptor, long position, long length, int advice);

        @SaveError
        long lseek(int descriptor, long position, int whence);

        String strerror(int error);
    }
}
