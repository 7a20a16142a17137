// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Bytes from a socket: read by the decoder, and lent to WRITE requests whose payload lies in it, so
 * that nothing is copied on the way to the engine. It lives as long as somebody holds it (the
 * reader, or a request with a view) and then goes back to where it came from. Used on one shard;
 * the views are made once and used again.
 */
final class ReceiveBlock {

    private final @Nullable ReceiveBlocks home;
    private final ByteBuf memory;
    private ByteBuffer[] views = new ByteBuffer[4];
    private int freeViews;
    private int holders;

    private ReceiveBlock(@Nullable ReceiveBlocks home, ByteBuf memory) {
        this.home = home;
        this.memory = memory;
    }

    /** A block that {@code home} gets back. */
    static ReceiveBlock pooled(ReceiveBlocks home, ByteBuf memory) {
        return new ReceiveBlock(home, memory);
    }

    /** Wraps bytes that came from elsewhere (handshake, TLS) and that are released in the end. */
    static ReceiveBlock wrapping(ByteBuf bytes) {
        ReceiveBlock block = new ReceiveBlock(null, bytes);
        block.hold();
        return block;
    }

    ByteBuf memory() {
        return memory;
    }

    int readable() {
        return memory.readableBytes();
    }

    void hold() {
        holders++;
    }

    void release() {
        holders--;
        if (holders > 0) {
            return;
        }
        if (home == null) {
            memory.release();
        } else {
            memory.clear();
            home.giveBack(this);
        }
    }

    /** The next {@code length} bytes, until {@link #takeBack}. */
    ByteBuffer lend(int length) {
        ByteBuffer view =
                freeViews > 0 ? views[--freeViews] : memory.nioBuffer(0, memory.capacity());
        int from = memory.readerIndex();
        view.limit(from + length).position(from);
        memory.skipBytes(length);
        holders++;
        return view;
    }

    void takeBack(ByteBuffer view) {
        if (freeViews == views.length) {
            views = Arrays.copyOf(views, freeViews * 2);
        }
        views[freeViews++] = view.clear();
        release();
    }

    void free() {
        memory.release();
    }
}
