// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jnr.ffi.LibraryLoader;
import jnr.ffi.annotations.In;
import jnr.ffi.annotations.Out;

/**
 * Looks at a connected stream socket without reading from it: poll(2) and recv(2) with MSG_PEEK.
 * One instance per thread; blocks never.
 */
public final class SocketProbe {

    private static final short POLLERR = 0x8;
    private static final short POLLHUP = 0x10;
    private static final short POLLRDHUP = 0x2000;
    private static final int MSG_PEEK = 0x2;
    private static final int MSG_DONTWAIT = 0x40;

    private final ByteBuffer pollFd = ByteBuffer.allocateDirect(8).order(ByteOrder.nativeOrder());

    /** Whether the peer has closed, half-closed or reset the connection. */
    public boolean peerHasEnded(int fd) {
        pollFd.putInt(0, fd).putShort(4, POLLRDHUP).putShort(6, (short) 0);
        int ready = C.LIBRARY.poll(pollFd, 1, 0);
        return ready > 0 && (pollFd.getShort(6) & (POLLERR | POLLHUP | POLLRDHUP)) != 0;
    }

    /**
     * Copies what waits to be read, from the beginning of {@code bytes}, and leaves it in the
     * socket; {@code bytes} is direct and ends up flipped.
     */
    public void peek(int fd, ByteBuffer bytes) {
        bytes.clear();
        long count = C.LIBRARY.recv(fd, bytes, bytes.capacity(), MSG_PEEK | MSG_DONTWAIT);
        bytes.limit((int) Math.max(0, count));
    }

    /** The calls of libc that are needed; public because jnr-ffi generates the implementation. */
    public interface Libc {

        int poll(@In @Out ByteBuffer fds, long count, int timeoutMillis);

        long recv(int fd, @Out ByteBuffer bytes, long length, int flags);
    }

    private static final class C {
        static final Libc LIBRARY = LibraryLoader.create(Libc.class).load("c");
    }
}
