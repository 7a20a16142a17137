// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.LogWindow.Chunk;

/**
 * Memory of a log that is read where it lies, also outside of the shard, instead of being copied.
 * What is borrowed is durable and so does not change; the window may give it up meanwhile, but its
 * memory is used for nothing else before {@link #giveBack}. Bounded: whoever borrows can copy too.
 * Owned by the shard.
 */
public final class LogLoan {

    private final LogWindow window;
    private final List<Chunk> borrowed = new ArrayList<>();

    LogLoan(LogWindow window) {
        this.window = window;
    }

    /**
     * The {@code length} bytes at {@code position}, in a buffer of their own that the shard does
     * not touch; null when they are not in one piece in memory, or too much is borrowed.
     */
    public @Nullable ByteBuffer borrow(long position, int length) {
        Chunk chunk = window.holding(position, length);
        if (chunk == null) {
            return null;
        }
        if (!borrowed.contains(chunk)) {
            if (!window.lend(chunk, borrowed.size())) {
                return null;
            }
            borrowed.add(chunk);
        }
        return chunk.bytes().slice(chunk.offset(position), length);
    }

    /** Nobody reads what was borrowed any more. */
    public void giveBack() {
        borrowed.forEach(window::takeBack);
        borrowed.clear();
    }
}
