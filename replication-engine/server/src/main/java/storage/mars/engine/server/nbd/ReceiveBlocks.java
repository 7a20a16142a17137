// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayDeque;

/**
 * The receive blocks of one shard in three sizes. A block is needed only between a read and the end
 * of the requests in it, so a few serve any number of connections. Used on its shard.
 */
final class ReceiveBlocks {

    static final int SIZES = 3;
    private static final int KEPT = 16;

    private final ByteBufAllocator allocator;
    private final ArrayDeque<ReceiveBlock> small = new ArrayDeque<>(KEPT);
    private final ArrayDeque<ReceiveBlock> medium = new ArrayDeque<>(KEPT);
    private final ArrayDeque<ReceiveBlock> large = new ArrayDeque<>(KEPT);
    private boolean closed;

    ReceiveBlocks(ByteBufAllocator allocator) {
        this.allocator = allocator;
    }

    /** 16 KiB, 64 KiB, 256 KiB. */
    static int bytesOf(int size) {
        return 16 << 10 << (2 * size);
    }

    /** An empty block with the caller as its holder. */
    ReceiveBlock take(int size) {
        ReceiveBlock block = of(size).pollLast();
        if (block == null) {
            int bytes = bytesOf(size);
            block = ReceiveBlock.pooled(this, allocator.directBuffer(bytes, bytes));
        }
        block.hold();
        return block;
    }

    void giveBack(ReceiveBlock block) {
        ArrayDeque<ReceiveBlock> free = of(sizeOf(block.memory().capacity()));
        if (closed || free.size() == KEPT) {
            block.free();
        } else {
            free.addLast(block);
        }
    }

    void close() {
        closed = true;
        for (int size = 0; size < SIZES; size++) {
            of(size).forEach(ReceiveBlock::free);
            of(size).clear();
        }
    }

    private static int sizeOf(int bytes) {
        int size = 0;
        while (bytesOf(size) < bytes) {
            size++;
        }
        return size;
    }

    private ArrayDeque<ReceiveBlock> of(int size) {
        return switch (size) {
            case 0 -> small;
            case 1 -> medium;
            default -> large;
        };
    }
}
