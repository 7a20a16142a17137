// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** The least NBD client: one request at a time over a Unix socket. */
final class ExportClient implements AutoCloseable {

    private static final int WRITE = 1;
    private static final int DISCONNECT = 2;
    private static final int FLUSH = 3;
    private static final int READ_ONLY = 2;

    private final SocketChannel socket;
    private final long size;
    private final boolean readOnly;
    private long cookie;

    private ExportClient(SocketChannel socket, String export) throws IOException {
        this.socket = socket;
        byte[] name = export.getBytes(StandardCharsets.UTF_8);
        receive(18);
        send(
                ByteBuffer.allocate(20 + name.length)
                        .putInt(3)
                        .putLong(0x49484156454F5054L)
                        .putInt(1)
                        .putInt(name.length)
                        .put(name));
        ByteBuffer answer = receive(10);
        size = answer.getLong();
        readOnly = (answer.getShort() & READ_ONLY) != 0;
    }

    /** Fails with an {@link IOException} where the export is not served. */
    static ExportClient open(Path path, String export) throws IOException {
        SocketChannel socket = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            socket.connect(UnixDomainSocketAddress.of(path));
            return new ExportClient(socket, export);
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    long size() {
        return size;
    }

    boolean readOnly() {
        return readOnly;
    }

    int write(long offset, byte[] data) throws IOException {
        return request(WRITE, offset, data.length, data);
    }

    int flush() throws IOException {
        return request(FLUSH, 0, 0, new byte[0]);
    }

    byte[] read(long offset, int length) throws IOException {
        assertThat(request(0, offset, length, new byte[0])).isZero();
        return receive(length).array();
    }

    private int request(int type, long offset, int length, byte[] data) throws IOException {
        sendRequest(type, offset, length, data);
        ByteBuffer reply = receive(16);
        assertThat(reply.getInt()).isEqualTo(0x67446698);
        int error = reply.getInt();
        assertThat(reply.getLong()).isEqualTo(cookie);
        return error;
    }

    private void sendRequest(int type, long offset, int length, byte[] data) throws IOException {
        send(
                ByteBuffer.allocate(28 + data.length)
                        .putInt(0x25609513)
                        .putShort((short) 0)
                        .putShort((short) type)
                        .putLong(++cookie)
                        .putLong(offset)
                        .putInt(length)
                        .put(data));
    }

    private void send(ByteBuffer bytes) throws IOException {
        bytes.flip();
        while (bytes.hasRemaining()) {
            socket.write(bytes);
        }
    }

    private ByteBuffer receive(int count) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(count);
        while (bytes.hasRemaining()) {
            if (socket.read(bytes) < 0) {
                throw new IOException("the server has ended the connection");
            }
        }
        return bytes.flip();
    }

    /** With a farewell, when somebody still hears it. */
    @Override
    public void close() {
        try {
            sendRequest(DISCONNECT, 0, 0, new byte[0]);
        } catch (IOException ended) {
            // As it should after a fence or a stop.
        }
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
