// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;

/**
 * Cuts the stream of the handshake into messages. Memory grows with what has arrived, never with
 * what a length field claims. Used on the connection's event loop.
 */
final class OptionDecoder {

    private static final int FLAGS_BYTES = 4;
    private static final int HEADER_BYTES = 16;

    private final NbdLimits.Options limits;
    private final ByteBuf bytes;
    private boolean flagsSeen;
    private int option;
    private long skip = -1;

    OptionDecoder(NbdLimits.Options limits, ByteBufAllocator allocator) {
        this.limits = limits;
        this.bytes = allocator.directBuffer(256);
    }

    void received(ByteBuf more) {
        bytes.discardSomeReadBytes();
        bytes.writeBytes(more);
        more.release();
    }

    /** The next message, or null when it is not complete. */
    @Nullable Received next() {
        if (!flagsSeen) {
            return flags();
        }
        return skip >= 0 ? skipped() : option();
    }

    /** What was not decoded; this decoder is done with. */
    ByteBuf rest() {
        return bytes;
    }

    private @Nullable Received flags() {
        if (bytes.readableBytes() < FLAGS_BYTES) {
            return null;
        }
        flagsSeen = true;
        return new Received.ClientFlags(bytes.readInt());
    }

    private @Nullable Received option() {
        int start = bytes.readerIndex();
        if (bytes.readableBytes() >= Long.BYTES && bytes.getLong(start) != Nbd.OPTION_MAGIC) {
            return new Received.Garbage("bad option magic");
        }
        if (bytes.readableBytes() < HEADER_BYTES) {
            return null;
        }
        option = bytes.getInt(start + 8);
        long length = bytes.getUnsignedInt(start + 12);
        if (length > limits.skippedBytes()) {
            return new Received.Garbage("option data of " + length + " bytes");
        }
        if (length > limits.parsedBytes()) {
            bytes.skipBytes(HEADER_BYTES);
            skip = length;
            return skipped();
        }
        if (bytes.readableBytes() < HEADER_BYTES + length) {
            return null;
        }
        bytes.skipBytes(HEADER_BYTES);
        return new Received.Option(option, bytes.readSlice((int) length));
    }

    private @Nullable Received skipped() {
        int count = (int) Math.min(skip, bytes.readableBytes());
        bytes.skipBytes(count);
        skip -= count;
        if (skip > 0) {
            return null;
        }
        skip = -1;
        return new Received.SkippedOption(option);
    }
}
