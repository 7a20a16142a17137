// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelConfig;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.util.UncheckedBooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Decides where the next bytes of one connection are read to: during the handshake into small
 * buffers of their own, afterwards into the shard's {@link ReceiveBlocks}, or straight into the
 * payload of a large WRITE. Called by the transport on the connection's event loop.
 */
final class Inbound implements RecvByteBufAllocator.ExtendedHandle {

    private static final int HANDSHAKE_BYTES = 2 << 10;
    private static final int READS_PER_TURN = 8;
    private static final int SHRINK_AFTER = 4;

    private @Nullable ReceiveBlocks blocks;
    private @Nullable ReceiveBlock empty;
    private @Nullable ByteBuf payload;
    private @Nullable ChannelConfig config;
    private int size;
    private int smallReads;
    private int reads;
    private int attempted;
    private int last;
    private long turns;
    private long received;

    /**
     * From now on the connection is in the transmission phase, and what comes from the socket is
     * what the decoder gets (with TLS in between this is never called).
     */
    void transmit(ReceiveBlocks shardBlocks) {
        blocks = shardBlocks;
    }

    /** The rest of {@code target} comes straight from the socket; null when none does. */
    void readInto(@Nullable ByteBuf target) {
        payload = target;
        if (target != null) {
            size = 0;
        }
    }

    /** How often the transport has begun to read. */
    long turns() {
        return turns;
    }

    /** Bytes that were ever read. */
    long received() {
        return received;
    }

    /**
     * Tells what a buffer that was read is: the block it belongs to, with the caller as its holder,
     * or null when it is the payload that was to be filled.
     */
    @SuppressWarnings("ReferenceEquality") // buffers are told apart by identity
    @Nullable ReceiveBlock claim(ByteBuf bytes) {
        ReceiveBlock block = empty;
        if (block != null && bytes == block.memory()) {
            empty = null;
            bytes.release();
            adapt(bytes.readableBytes());
            return block;
        }
        if (bytes == payload) {
            bytes.release();
            return null;
        }
        return ReceiveBlock.wrapping(bytes);
    }

    /** Nothing is being read: an unused block goes back. */
    void idle() {
        if (empty != null) {
            empty.release();
            empty = null;
        }
    }

    private void adapt(int bytes) {
        if (bytes == ReceiveBlocks.bytesOf(size)) {
            size = Math.min(size + 1, ReceiveBlocks.SIZES - 1);
            smallReads = 0;
        } else if (size > 0 && bytes <= ReceiveBlocks.bytesOf(size - 1)) {
            smallReads++;
            if (smallReads == SHRINK_AFTER) {
                size--;
                smallReads = 0;
            }
        } else {
            smallReads = 0;
        }
    }

    @Override
    public ByteBuf allocate(ByteBufAllocator allocator) {
        if (blocks == null) {
            return allocator.ioBuffer(HANDSHAKE_BYTES, HANDSHAKE_BYTES);
        }
        if (payload != null && payload.isWritable()) {
            return payload.retain();
        }
        if (empty == null) {
            empty = blocks.take(size);
        }
        return empty.memory().retain();
    }

    @Override
    public boolean continueReading(UncheckedBooleanSupplier maybeMoreData) {
        return reads < READS_PER_TURN
                && config != null
                && config.isAutoRead()
                && maybeMoreData.get();
    }

    @Override
    public boolean continueReading() {
        return continueReading(() -> attempted == last);
    }

    @Override
    public void reset(ChannelConfig current) {
        config = current;
        reads = 0;
        turns++;
    }

    @Override
    public void incMessagesRead(int count) {
        reads += count;
    }

    @Override
    public void lastBytesRead(int bytes) {
        last = bytes;
        received += Math.max(0, bytes);
    }

    @Override
    public int lastBytesRead() {
        return last;
    }

    @Override
    public void attemptedBytesRead(int bytes) {
        attempted = bytes;
    }

    @Override
    public int attemptedBytesRead() {
        return attempted;
    }

    @Override
    public int guess() {
        return ReceiveBlocks.bytesOf(size);
    }

    @Override
    public void readComplete() {}
}
