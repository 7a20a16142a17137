// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOutboundBuffer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.export.Extents;

/**
 * Encodes the replies of one connection. The short ones of a batch share a buffer, data goes out in
 * the buffer it was read into with its header in front, and one {@link #flush} ends the batch. Used
 * on the shard.
 */
final class ReplyWriter {

    private static final int BATCH_BYTES = 4096;

    /** Data of this size does not go in front of short replies that are ready. */
    private static final int LARGE_DATA = 64 << 10;

    private final Channel channel;
    private final boolean structured;
    private @Nullable ByteBuf batch;
    private boolean unflushed;
    private long written;

    ReplyWriter(Channel channel, boolean structured) {
        this.channel = channel;
        this.structured = structured;
    }

    /** The request has succeeded and yields nothing but that. */
    void done(int type, long cookie) {
        if (structured && type == Nbd.CMD_READ) {
            chunk(room(Nbd.CHUNK_HEADER_BYTES), Nbd.CHUNK_NONE, cookie, 0);
        } else {
            simple(room(Nbd.SIMPLE_REPLY_BYTES), NbdErrors.NONE, cookie);
        }
    }

    void error(long cookie, int code) {
        if (!structured) {
            simple(room(Nbd.SIMPLE_REPLY_BYTES), code, cookie);
            return;
        }
        String text = NbdErrors.textOf(code);
        int length = Integer.BYTES + Short.BYTES + text.length();
        ByteBuf out = room(Nbd.CHUNK_HEADER_BYTES + length);
        chunk(out, Nbd.CHUNK_ERROR, cookie, length);
        out.writeInt(code).writeShort(text.length());
        ByteBufUtil.writeAscii(out, text);
    }

    /** Takes over {@code buffer}: {@link RequestSlot#HEADROOM}, then the data. */
    void data(RequestSlot slot, ByteBuf buffer) {
        int length = (int) slot.length;
        if (length >= LARGE_DATA) {
            writeBatch();
        }
        if (structured) {
            buffer.setIndex(0, 0);
            chunk(buffer, Nbd.CHUNK_OFFSET_DATA, slot.cookie, Long.BYTES + length);
            buffer.writeLong(slot.offset);
        } else {
            int start = RequestSlot.HEADROOM - Nbd.SIMPLE_REPLY_BYTES;
            buffer.setIndex(start, start);
            simple(buffer, NbdErrors.NONE, slot.cookie);
        }
        write(buffer.writerIndex(RequestSlot.HEADROOM + length));
    }

    /** One chunk with the extents of base:allocation; none reaches beyond what was asked for. */
    void extents(RequestSlot slot, Extents extents) {
        int count = slot.oneExtent ? Math.min(1, extents.count()) : extents.count();
        if (count == 0) {
            ByteBuf out = room(Nbd.CHUNK_HEADER_BYTES + 12);
            chunk(out, Nbd.CHUNK_BLOCK_STATUS, slot.cookie, 12);
            out.writeInt(Nbd.BASE_ALLOCATION_ID).writeInt((int) slot.length).writeInt(0);
            return;
        }
        int length = Integer.BYTES + count * 2 * Integer.BYTES;
        ByteBuf out = channel.alloc().directBuffer(Nbd.CHUNK_HEADER_BYTES + length);
        chunk(out, Nbd.CHUNK_BLOCK_STATUS, slot.cookie, length);
        out.writeInt(Nbd.BASE_ALLOCATION_ID);
        long left = slot.length;
        int used = 0;
        for (; used < count && left > 0; used++) {
            long bytes = Math.min(left, extents.length(used));
            out.writeInt((int) bytes).writeInt(extents.hole(used) ? Nbd.STATE_HOLE_ZERO : 0);
            left -= bytes;
        }
        out.setInt(
                Nbd.CHUNK_HEADER_BYTES - Integer.BYTES, Integer.BYTES + used * 2 * Integer.BYTES);
        write(out);
    }

    /** Sends everything that was answered. */
    void flush() {
        writeBatch();
        if (unflushed) {
            unflushed = false;
            channel.flush();
        }
    }

    void close() {
        if (batch != null) {
            batch.release();
            batch = null;
        }
    }

    /** Whether nothing of what was written waits for the socket. */
    boolean isAllTaken() {
        ChannelOutboundBuffer pending = channel.unsafe().outboundBuffer();
        return pending == null || pending.isEmpty();
    }

    /** Bytes that the client's end has taken so far; grows while it reads. */
    long progress() {
        ChannelOutboundBuffer pending = channel.unsafe().outboundBuffer();
        return pending == null
                ? written
                : written - pending.totalPendingWriteBytes() + pending.currentProgress();
    }

    private void simple(ByteBuf out, int code, long cookie) {
        out.writeInt(Nbd.SIMPLE_REPLY_MAGIC).writeInt(code).writeLong(cookie);
    }

    /** Every reply here is one chunk, so each is the last of its request. */
    private void chunk(ByteBuf out, int type, long cookie, int length) {
        out.writeInt(Nbd.STRUCTURED_REPLY_MAGIC)
                .writeShort(Nbd.CHUNK_DONE)
                .writeShort(type)
                .writeLong(cookie)
                .writeInt(length);
    }

    private void writeBatch() {
        ByteBuf last = batch;
        if (last != null) {
            batch = null;
            write(last);
        }
    }

    private ByteBuf room(int bytes) {
        if (batch != null && batch.writableBytes() < bytes) {
            writeBatch();
        }
        ByteBuf current = batch;
        if (current == null) {
            current = channel.alloc().directBuffer(BATCH_BYTES, BATCH_BYTES);
            batch = current;
        }
        return current;
    }

    private void write(ByteBuf bytes) {
        written += bytes.readableBytes();
        unflushed = true;
        Channels.write(channel, bytes);
    }
}
