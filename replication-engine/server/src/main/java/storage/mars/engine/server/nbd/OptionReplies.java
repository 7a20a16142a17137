// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import java.nio.charset.StandardCharsets;
import storage.mars.engine.export.ExportInfo;

/** Writes the answers of the handshake; what is written leaves with the channel's next flush. */
final class OptionReplies {

    private static final int PREFERRED_BLOCK = 4096;

    private final Channel channel;

    OptionReplies(Channel channel) {
        this.channel = channel;
    }

    void greeting() {
        write(
                channel.alloc()
                        .buffer(18)
                        .writeLong(Nbd.MAGIC)
                        .writeLong(Nbd.OPTION_MAGIC)
                        .writeShort(Nbd.FLAG_FIXED_NEWSTYLE | Nbd.FLAG_NO_ZEROES));
        channel.flush();
    }

    void ack(int option) {
        reply(option, Nbd.REP_ACK, Unpooled.EMPTY_BUFFER);
    }

    void error(int option, int code, String text) {
        reply(option, code, Unpooled.wrappedBuffer(WireStrings.encode(text)));
    }

    /** One line of NBD_OPT_LIST. */
    void server(int option, String name, String description) {
        byte[] nameBytes = WireStrings.encode(name);
        ByteBuf data = channel.alloc().buffer();
        data.writeInt(nameBytes.length).writeBytes(nameBytes);
        data.writeBytes(WireStrings.encode(description));
        reply(option, Nbd.REP_SERVER, data);
    }

    void metaContext(int option, int id, String name) {
        ByteBuf data = channel.alloc().buffer();
        data.writeInt(id).writeCharSequence(name, StandardCharsets.UTF_8);
        reply(option, Nbd.REP_META_CONTEXT, data);
    }

    void exportInfo(int option, ExportInfo export, int flags) {
        ByteBuf data = channel.alloc().buffer(12);
        data.writeShort(Nbd.INFO_EXPORT).writeLong(export.sizeBytes()).writeShort(flags);
        reply(option, Nbd.REP_INFO, data);
    }

    void textInfo(int option, int info, String text) {
        ByteBuf data = channel.alloc().buffer();
        data.writeShort(info).writeBytes(WireStrings.encode(text));
        reply(option, Nbd.REP_INFO, data);
    }

    void blockSizes(int option, int maximum) {
        ByteBuf data = channel.alloc().buffer(14);
        data.writeShort(Nbd.INFO_BLOCK_SIZE).writeInt(1).writeInt(PREFERRED_BLOCK);
        reply(option, Nbd.REP_INFO, data.writeInt(maximum));
    }

    /** The answer to NBD_OPT_EXPORT_NAME, which has no header. */
    void exportName(ExportInfo export, int flags, boolean zeroes) {
        ByteBuf data = channel.alloc().buffer(134);
        data.writeLong(export.sizeBytes()).writeShort(flags);
        write(zeroes ? data.writeZero(124) : data);
    }

    private void reply(int option, int type, ByteBuf data) {
        ByteBuf header = channel.alloc().buffer(20);
        header.writeLong(Nbd.OPTION_REPLY_MAGIC).writeInt(option).writeInt(type);
        write(header.writeInt(data.readableBytes()));
        write(data);
    }

    private void write(ByteBuf bytes) {
        Channels.write(channel, bytes);
    }
}
