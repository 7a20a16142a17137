// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.EventLoop;
import java.nio.ByteBuffer;
import storage.mars.engine.server.io.SocketProbe;

/** What the connections of one shard share. */
record ShardMemory(
        PayloadBudget budget,
        PayloadMemory payloads,
        ReceiveBlocks blocks,
        SocketProbe probe,
        ByteBuffer peeked) {

    /** How much of an ended connection is looked through for a farewell. */
    static final int PEEK_BYTES = 1 << 20;

    /** Keeps nothing any more; for the end of the shard. */
    void close() {
        payloads.close();
        blocks.close();
    }

    static ShardMemory of(EventLoop loop, ByteBufAllocator allocator, NbdLimits limits) {
        return new ShardMemory(
                new PayloadBudget(limits.requests().budgetBytes(), loop),
                new PayloadMemory(allocator, loop),
                new ReceiveBlocks(allocator),
                new SocketProbe(),
                ByteBuffer.allocateDirect(PEEK_BYTES));
    }
}
