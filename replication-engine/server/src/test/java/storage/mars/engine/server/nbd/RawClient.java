// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.function.LongToIntFunction;

/** Speaks NBD byte by byte, right or wrong; every wait is bounded. */
final class RawClient implements AutoCloseable {

    private static final int TIMEOUT_MILLIS = 10_000;

    private final SocketChannel socket;
    private final Selector selector;
    private final ByteBuffer ahead = ByteBuffer.allocate(1).limit(0);
    private boolean structured;

    private RawClient(SocketAddress address, int receiveBuffer) {
        try {
            socket =
                    address instanceof UnixDomainSocketAddress
                            ? SocketChannel.open(java.net.StandardProtocolFamily.UNIX)
                            : SocketChannel.open();
            if (receiveBuffer > 0) {
                socket.setOption(StandardSocketOptions.SO_RCVBUF, receiveBuffer);
            }
            socket.connect(address);
            socket.configureBlocking(false);
            selector = Selector.open();
            socket.register(selector, SelectionKey.OP_READ);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static RawClient tcp(InetSocketAddress address) {
        return new RawClient(address, 0);
    }

    static RawClient tcpWithSmallWindow(InetSocketAddress address) {
        return new RawClient(address, 16 << 10);
    }

    static RawClient unix(Path path) {
        return new RawClient(UnixDomainSocketAddress.of(path), 0);
    }

    /** Greeting and client flags. */
    RawClient hello() {
        return hello(3);
    }

    RawClient hello(int clientFlags) {
        ByteBuffer greeting = receive(18);
        assertThat(greeting.getLong()).isEqualTo(Nbd.MAGIC);
        assertThat(greeting.getLong()).isEqualTo(Nbd.OPTION_MAGIC);
        assertThat(greeting.getShort()).isEqualTo((short) 3);
        return send(ByteBuffer.allocate(4).putInt(clientFlags).flip());
    }

    RawClient structured() {
        option(Nbd.OPT_STRUCTURED_REPLY, new byte[0]);
        assertThat(reply().type()).isEqualTo(Nbd.REP_ACK);
        structured = true;
        return this;
    }

    /** For who has negotiated by {@link #send}: whether answers come as chunks. */
    RawClient agreed(boolean onStructuredReplies) {
        structured = onStructuredReplies;
        return this;
    }

    RawClient selectAllocation(String export) {
        option(Nbd.OPT_SET_META_CONTEXT, Wire.contexts(export, Nbd.BASE_ALLOCATION));
        assertThat(reply().type()).isEqualTo(Nbd.REP_META_CONTEXT);
        assertThat(reply().type()).isEqualTo(Nbd.REP_ACK);
        return this;
    }

    RawClient go(String export) {
        option(Nbd.OPT_GO, Wire.query(export));
        OptionReply info = reply();
        assertThat(info.type()).as(info.text()).isEqualTo(Nbd.REP_INFO);
        assertThat(reply().type()).isEqualTo(Nbd.REP_ACK);
        return this;
    }

    RawClient option(int id, byte[] data) {
        return send(Wire.option(id, data));
    }

    RawClient request(int type, int flags, long cookie, long offset, long length) {
        return send(Wire.request(type, flags, cookie, offset, length));
    }

    RawClient write(long cookie, long offset, byte[] data) {
        return send(Wire.write(0, cookie, offset, data));
    }

    RawClient send(ByteBuffer bytes) {
        try {
            long deadline = System.nanoTime() + TIMEOUT_MILLIS * 1_000_000L;
            while (bytes.hasRemaining()) {
                if (socket.write(bytes) == 0) {
                    await(SelectionKey.OP_WRITE, deadline);
                }
            }
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    RawClient send(byte[] bytes) {
        return send(ByteBuffer.wrap(bytes));
    }

    /** Sends what the server will take and ignores that it may have hung up. */
    RawClient sendQuietly(byte[] bytes) {
        try {
            return send(bytes);
        } catch (UncheckedIOException hungUp) {
            return this;
        }
    }

    ByteBuffer receive(int count) {
        return receive(ByteBuffer.allocate(count));
    }

    ByteBuffer receive(ByteBuffer bytes) {
        int count = bytes.remaining();
        long deadline = System.nanoTime() + TIMEOUT_MILLIS * 1_000_000L;
        try {
            if (bytes.hasRemaining() && ahead.hasRemaining()) {
                bytes.put(ahead);
            }
            while (bytes.hasRemaining()) {
                int n = socket.read(bytes);
                if (n < 0) {
                    throw new UncheckedIOException(
                            new IOException("end after " + bytes.position() + " of " + count));
                }
                if (n == 0) {
                    await(SelectionKey.OP_READ, deadline);
                }
            }
            return bytes.flip();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    OptionReply reply() {
        ByteBuffer header = receive(20);
        assertThat(header.getLong()).isEqualTo(Nbd.OPTION_REPLY_MAGIC);
        int option = header.getInt();
        int type = header.getInt();
        return new OptionReply(option, type, receive(header.getInt()).array());
    }

    /** The next answer of the transmission phase; {@code length} is what a READ asked for. */
    Answer answer(int length) {
        return answer(cookie -> length);
    }

    /** The next answer, whichever request it belongs to. */
    Answer answer(LongToIntFunction lengthOf) {
        int magic = receive(4).getInt();
        return magic == Nbd.SIMPLE_REPLY_MAGIC ? simple(lengthOf) : chunk(magic);
    }

    Answer answer() {
        return answer(0);
    }

    private Answer simple(LongToIntFunction lengthOf) {
        ByteBuffer rest = receive(12);
        int error = rest.getInt();
        long cookie = rest.getLong();
        byte[] data = error == 0 ? receive(lengthOf.applyAsInt(cookie)).array() : new byte[0];
        return new Answer(-1, error, cookie, data);
    }

    private Answer chunk(int magic) {
        assertThat(structured).isTrue();
        assertThat(magic).isEqualTo(Nbd.STRUCTURED_REPLY_MAGIC);
        ByteBuffer rest = receive(16);
        assertThat(rest.getShort()).as("DONE").isEqualTo((short) 1);
        int type = Short.toUnsignedInt(rest.getShort());
        long cookie = rest.getLong();
        ByteBuffer payload = receive(rest.getInt());
        int error = type == Nbd.CHUNK_ERROR ? payload.getInt() : 0;
        byte[] data = new byte[payload.remaining()];
        payload.get(data);
        return new Answer(type, error, cookie, data);
    }

    /** Waits until the server has closed its end, whatever it says before. */
    void awaitEnd() {
        try {
            while (true) {
                receive(1);
            }
        } catch (UncheckedIOException end) {
            assertThat(end).hasMessageNotContaining("timed out");
        }
    }

    /** The server has closed its end and said nothing before. */
    void expectEnd() {
        try {
            byte next = receive(1).get();
            throw new AssertionError("unexpected byte " + next);
        } catch (UncheckedIOException end) {
            assertThat(end).hasMessageNotContaining("timed out");
        }
    }

    /** Waits for more, or for the end: whether the server has closed its end. */
    boolean ended() {
        if (ahead.hasRemaining()) {
            return false;
        }
        long deadline = System.nanoTime() + TIMEOUT_MILLIS * 1_000_000L;
        try {
            ahead.clear();
            int n = socket.read(ahead);
            while (n == 0) {
                await(SelectionKey.OP_READ, deadline);
                n = socket.read(ahead);
            }
            ahead.flip();
            return n < 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    boolean silentFor(int millis) {
        try {
            ByteBuffer one = ByteBuffer.allocate(1);
            if (socket.read(one) != 0) {
                return false;
            }
            selector.select(millis);
            selector.selectedKeys().clear();
            return socket.read(one) == 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    RawClient halfClose() {
        try {
            socket.shutdownOutput();
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    RawClient halfCloseQuietly() {
        try {
            return halfClose();
        } catch (UncheckedIOException hungUp) {
            return this;
        }
    }

    /** RST instead of FIN. */
    void reset() {
        try {
            if (socket.getRemoteAddress() instanceof InetSocketAddress) {
                socket.setOption(StandardSocketOptions.SO_LINGER, 0);
            }
            close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private SelectionKey requireKey() {
        return socket.keyFor(selector);
    }

    private void await(int operation, long deadline) throws IOException {
        requireKey().interestOps(operation);
        long millis = (deadline - System.nanoTime()) / 1_000_000;
        if (millis <= 0) {
            throw new IOException("timed out");
        }
        selector.select(millis);
        selector.selectedKeys().clear();
    }

    @Override
    public void close() {
        try {
            selector.close();
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @SuppressWarnings("ArrayRecordComponent")
    record OptionReply(int option, int type, byte[] data) {
        String text() {
            return new String(data, StandardCharsets.UTF_8);
        }
    }

    /** {@code chunk} is -1 for a simple reply. */
    @SuppressWarnings("ArrayRecordComponent")
    record Answer(int chunk, int error, long cookie, byte[] data) {}
}
