// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledUnsafeDirectByteBuf;

/**
 * Memory of one large payload or reply; shows as much of itself as is asked for. When nobody holds
 * it any more, it goes back to {@link PayloadMemory} and not to the operating system.
 */
final class PayloadBuffer extends UnpooledUnsafeDirectByteBuf {

    private final PayloadMemory home;
    private final int size;
    private int shown;

    PayloadBuffer(PayloadMemory home, ByteBufAllocator allocator, int size) {
        super(allocator, size, size);
        this.home = home;
        this.size = size;
    }

    /** A new buffer shows this much, from now on. */
    PayloadBuffer show(int bytes) {
        shown = bytes;
        return this;
    }

    /** Held by the caller again, and empty. */
    PayloadBuffer reuse() {
        resetRefCnt();
        clear();
        return this;
    }

    /** All of its bytes. */
    int size() {
        return size;
    }

    /** The transport reads until this is full. */
    @Override
    public int capacity() {
        return shown;
    }

    @Override
    protected void deallocate() {
        if (!home.keep(this)) {
            free();
        }
    }

    /** Gives the memory back to the operating system. */
    void free() {
        super.deallocate();
    }
}
