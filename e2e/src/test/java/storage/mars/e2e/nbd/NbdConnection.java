// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e.nbd;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One connection in the transmission phase. Any number of threads may have requests in flight; a
 * thread of its own reads the replies.
 */
public final class NbdConnection implements AutoCloseable {
    private final SocketChannel channel;
    private final NbdExport export;
    private final Map<Long, Pending> pending = new ConcurrentHashMap<>();
    private final AtomicLong cookies = new AtomicLong();
    private final Object sending = new Object();
    private volatile boolean closed;

    private NbdConnection(SocketChannel channel, NbdExport export) {
        this.channel = channel;
        this.export = export;
    }

    public static NbdConnection open(NbdAddress address, String export) throws IOException {
        return open(address, export, true);
    }

    public static NbdConnection open(NbdAddress address, String export, boolean structured)
            throws IOException {
        SocketChannel channel = address.connect();
        try {
            var connection =
                    new NbdConnection(channel, new Handshake(channel).go(export, structured));
            Thread.ofVirtual().name("nbd-replies").start(connection::readReplies);
            return connection;
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    public NbdExport export() {
        return export;
    }

    public byte[] read(long offset, int length) throws IOException {
        var content = new byte[length];
        var request = new Pending("READ", ByteBuffer.wrap(content), offset);
        await(send(Wire.READ, 0, offset, length, ByteBuffer.allocate(0), request));
        return content;
    }

    public void write(long offset, byte[] data) throws IOException {
        write(offset, data, false);
    }

    public void write(long offset, byte[] data, boolean fua) throws IOException {
        int flags = fua ? Wire.FLAG_FUA : 0;
        await(send(Wire.WRITE, flags, offset, data.length, ByteBuffer.wrap(data), plain("WRITE")));
    }

    public void flush() throws IOException {
        await(send(Wire.FLUSH, 0, 0, 0, ByteBuffer.allocate(0), plain("FLUSH")));
    }

    public void trim(long offset, int length) throws IOException {
        await(send(Wire.TRIM, 0, offset, length, ByteBuffer.allocate(0), plain("TRIM")));
    }

    public void writeZeroes(long offset, int length) throws IOException {
        var nothing = ByteBuffer.allocate(0);
        await(send(Wire.WRITE_ZEROES, 0, offset, length, nothing, plain("WRITE_ZEROES")));
    }

    /** Says goodbye (NBD_CMD_DISC) and closes. */
    public void disconnect() throws IOException {
        synchronized (sending) {
            Frames.write(channel, header(Wire.DISC, 0, 0, 0, 0));
        }
        close();
    }

    /** Closes without a goodbye, as a client does that died. */
    @Override
    public void close() throws IOException {
        closed = true;
        channel.close();
        failAll(new IOException("connection closed by the client"));
    }

    private static Pending plain(String name) {
        return new Pending(name, ByteBuffer.allocate(0), 0);
    }

    private Pending send(
            int command, int flags, long offset, int length, ByteBuffer payload, Pending request)
            throws IOException {
        long cookie = cookies.incrementAndGet();
        pending.put(cookie, request);
        try {
            synchronized (sending) {
                Frames.write(channel, header(command, flags, cookie, offset, length), payload);
            }
        } catch (IOException e) {
            pending.remove(cookie);
            throw e;
        }
        if (closed) {
            failAll(new IOException("connection lost"));
        }
        return request;
    }

    private static ByteBuffer header(int command, int flags, long cookie, long offset, int length) {
        return ByteBuffer.allocate(28)
                .putInt(Wire.REQUEST)
                .putShort((short) flags)
                .putShort((short) command)
                .putLong(cookie)
                .putLong(offset)
                .putInt(length)
                .flip();
    }

    private static void await(Pending request) throws IOException {
        try {
            request.done.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while waiting for a reply");
        } catch (ExecutionException e) {
            if (e.getCause() instanceof NbdErrorException error) {
                throw error;
            }
            throw new IOException("connection lost", e.getCause());
        }
    }

    private void readReplies() {
        try {
            while (true) {
                int magic = Frames.read(channel, 4).getInt();
                if (magic == Wire.SIMPLE_REPLY) {
                    readSimple();
                } else if (magic == Wire.STRUCTURED_REPLY && export.structured()) {
                    readChunk();
                } else {
                    throw new ProtocolException("reply magic 0x" + Integer.toHexString(magic));
                }
            }
        } catch (IOException e) {
            closed = true;
            closeQuietly();
            failAll(e);
        }
    }

    private void readSimple() throws IOException {
        ByteBuffer header = Frames.read(channel, 12);
        int error = header.getInt();
        Pending request = take(header.getLong());
        if (error != 0) {
            request.fail(error);
            return;
        }
        while (request.into.hasRemaining()) {
            if (channel.read(request.into) < 0) {
                throw new ProtocolException("connection closed inside a reply");
            }
        }
        request.done.complete(null);
    }

    private void readChunk() throws IOException {
        ByteBuffer header = Frames.read(channel, 16);
        boolean last = (header.getShort() & Wire.CHUNK_DONE) != 0;
        int type = header.getShort() & 0xffff;
        long cookie = header.getLong();
        ByteBuffer body = Frames.read(channel, header.getInt());
        Pending request = last ? take(cookie) : peek(cookie);
        if ((type & Wire.CHUNK_ERROR) != 0) {
            request.error = body.getInt();
        } else if (type == Wire.CHUNK_DATA) {
            long offset = body.getLong();
            request.fill(offset, body);
        } else if (type == Wire.CHUNK_HOLE) {
            long offset = body.getLong();
            request.fill(offset, ByteBuffer.allocate(body.getInt()));
        } else if (type != Wire.CHUNK_NONE) {
            throw new ProtocolException("chunk type " + type);
        }
        if (last) {
            request.finish();
        }
    }

    private Pending take(long cookie) throws IOException {
        Pending request = peek(cookie);
        pending.remove(cookie);
        return request;
    }

    private Pending peek(long cookie) throws IOException {
        Pending request = pending.get(cookie);
        if (request == null) {
            throw new ProtocolException("reply to nothing: cookie " + cookie);
        }
        return request;
    }

    private void failAll(IOException cause) {
        for (Long cookie : List.copyOf(pending.keySet())) {
            Pending request = pending.remove(cookie);
            if (request != null) {
                request.done.completeExceptionally(cause);
            }
        }
    }

    private void closeQuietly() {
        try {
            channel.close();
        } catch (IOException e) {
            failAll(e);
        }
    }

    /** A request without its answer. Its fields belong to the thread that reads replies. */
    private static final class Pending {
        final String name;
        final ByteBuffer into;
        final long start;
        final CompletableFuture<Void> done = new CompletableFuture<>();
        int error;
        int filled;

        Pending(String name, ByteBuffer into, long start) {
            this.name = name;
            this.into = into;
            this.start = start;
        }

        void fill(long offset, ByteBuffer data) throws IOException {
            long at = offset - start;
            if (at < 0 || at + data.remaining() > into.capacity()) {
                throw new ProtocolException("chunk outside of the request");
            }
            filled += data.remaining();
            into.put((int) at, data, data.position(), data.remaining());
        }

        void finish() {
            if (error != 0) {
                fail(error);
            } else if (filled != into.capacity()) {
                done.completeExceptionally(
                        new ProtocolException(filled + " of " + into.capacity() + " bytes came"));
            } else {
                done.complete(null);
            }
        }

        void fail(int code) {
            done.completeExceptionally(new NbdErrorException(code, name));
        }
    }
}
