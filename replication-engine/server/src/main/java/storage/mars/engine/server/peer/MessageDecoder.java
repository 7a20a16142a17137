// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.peer;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.CorruptedFrameException;
import org.jspecify.annotations.Nullable;

/**
 * Cuts the byte stream into messages: 4 bytes of length (little endian), then that many bytes. A
 * message that lies within one read is passed on where it is, any other is gathered in one buffer
 * of its size. It can be paused between two messages while the connection changes its event loop.
 */
final class MessageDecoder extends ChannelInboundHandlerAdapter {

    /** Longest message in either direction. */
    static final int MAX_MESSAGE = 2 << 20;

    static final int LENGTH_BYTES = 4;

    private int limit;
    private int length;
    private int lengthBytes;
    private boolean paused;
    private @Nullable ByteBuf body;
    private @Nullable ByteBuf held;

    MessageDecoder(int limit) {
        this.limit = limit;
    }

    /** From now on messages up to this length are accepted. */
    void limit(int newLimit) {
        this.limit = newLimit;
    }

    /** Keeps everything that follows the message just passed on. */
    void pause() {
        paused = true;
    }

    /** Passes on what was kept, and everything that comes. */
    void resume(ChannelHandlerContext own) {
        paused = false;
        ByteBuf kept = held;
        held = null;
        if (kept != null) {
            decode(own, kept);
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf in = (ByteBuf) message;
        if (held != null) {
            held = Unpooled.wrappedBuffer(held, in);
        } else {
            decode(context, in);
        }
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        release();
    }

    private void decode(ChannelHandlerContext context, ByteBuf in) {
        try {
            while (!paused && in.isReadable()) {
                step(context, in);
            }
            if (paused && in.isReadable()) {
                held = in.retainedSlice();
            }
        } finally {
            in.release();
        }
    }

    private void step(ChannelHandlerContext context, ByteBuf in) {
        if (lengthBytes < LENGTH_BYTES) {
            length |= in.readUnsignedByte() << (8 * lengthBytes);
            lengthBytes++;
            if (lengthBytes == LENGTH_BYTES) {
                checkLength();
            }
        }
        if (lengthBytes == LENGTH_BYTES) {
            take(context, in);
        }
    }

    private void checkLength() {
        if (length < 0 || length > limit) {
            paused = true;
            throw new CorruptedFrameException(
                    "a message of "
                            + Integer.toUnsignedString(length)
                            + " bytes, where "
                            + limit
                            + " are the most");
        }
    }

    private void take(ChannelHandlerContext context, ByteBuf in) {
        if (body == null && in.readableBytes() >= length) {
            pass(context, in.readRetainedSlice(length));
            return;
        }
        ByteBuf gathered = body == null ? context.alloc().directBuffer(length, length) : body;
        body = gathered;
        gathered.writeBytes(in, Math.min(in.readableBytes(), gathered.writableBytes()));
        if (!gathered.isWritable()) {
            body = null;
            pass(context, gathered);
        }
    }

    private void pass(ChannelHandlerContext context, ByteBuf message) {
        length = 0;
        lengthBytes = 0;
        context.fireChannelRead(message);
    }

    private void release() {
        if (body != null) {
            body.release();
            body = null;
        }
        if (held != null) {
            held.release();
            held = null;
        }
    }
}
