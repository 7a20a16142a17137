// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e.nbd;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/** Fixed newstyle negotiation up to GO. */
final class Handshake {
    private static final int LONGEST_REPLY = 64 * 1024;
    private final SocketChannel channel;

    Handshake(SocketChannel channel) {
        this.channel = channel;
    }

    NbdExport go(String export, boolean wantStructured) throws IOException {
        ByteBuffer greeting = Frames.read(channel, 18);
        if (greeting.getLong() != Wire.NBDMAGIC || greeting.getLong() != Wire.IHAVEOPT) {
            throw new ProtocolException("not an NBD server");
        }
        var flags = ByteBuffer.allocate(4).putInt(Wire.FIXED_NEWSTYLE | Wire.NO_ZEROES).flip();
        Frames.write(channel, flags);
        boolean structured = wantStructured && structuredReplies();
        ByteBuffer info = goInfo(export);
        return new NbdExport(export, info.getLong(), info.getShort() & 0xffff, structured);
    }

    private boolean structuredReplies() throws IOException {
        sendOption(Wire.OPT_STRUCTURED_REPLY, ByteBuffer.allocate(0));
        return readReply().type == Wire.REP_ACK;
    }

    private ByteBuffer goInfo(String export) throws IOException {
        byte[] name = export.getBytes(UTF_8);
        var option = ByteBuffer.allocate(name.length + 6);
        option.putInt(name.length).put(name).putShort((short) 0).flip();
        sendOption(Wire.OPT_GO, option);
        ByteBuffer found = ByteBuffer.allocate(0);
        while (true) {
            Reply reply = readReply();
            if ((reply.type & Wire.REP_ERROR) != 0) {
                throw new NbdRefusedException(reply.type, UTF_8.decode(reply.data).toString());
            }
            if (reply.type == Wire.REP_ACK) {
                if (!found.hasRemaining()) {
                    throw new ProtocolException("GO acknowledged without NBD_INFO_EXPORT");
                }
                return found;
            }
            if (reply.type == Wire.REP_INFO && reply.data.getShort() == Wire.INFO_EXPORT) {
                found = reply.data;
            }
        }
    }

    private void sendOption(int option, ByteBuffer data) throws IOException {
        var header = ByteBuffer.allocate(16);
        header.putLong(Wire.IHAVEOPT).putInt(option).putInt(data.remaining()).flip();
        Frames.write(channel, header, data);
    }

    private Reply readReply() throws IOException {
        ByteBuffer header = Frames.read(channel, 20);
        if (header.getLong() != Wire.OPTION_REPLY) {
            throw new ProtocolException("bad magic in an option reply");
        }
        int type = header.getInt(12);
        int length = header.getInt(16);
        if (length < 0 || length > LONGEST_REPLY) {
            throw new ProtocolException("option reply of " + length + " bytes");
        }
        return new Reply(type, Frames.read(channel, length));
    }

    private record Reply(int type, ByteBuffer data) {}
}
