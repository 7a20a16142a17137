// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import storage.mars.engine.export.Extents;

/** Sparse bytes in memory. */
final class MemoryDisk {

    private static final int BLOCK = 4096;
    private static final byte[] ZERO = new byte[BLOCK];

    private final Map<Long, byte[]> blocks = new HashMap<>();

    void write(long offset, ByteBuffer data) {
        while (data.hasRemaining()) {
            int at = (int) (offset % BLOCK);
            int count = Math.min(BLOCK - at, data.remaining());
            data.get(blocks.computeIfAbsent(offset / BLOCK, n -> new byte[BLOCK]), at, count);
            offset += count;
        }
    }

    void read(long offset, ByteBuffer data) {
        while (data.hasRemaining()) {
            int at = (int) (offset % BLOCK);
            int count = Math.min(BLOCK - at, data.remaining());
            data.put(blocks.getOrDefault(offset / BLOCK, ZERO), at, count);
            offset += count;
        }
    }

    void zero(long offset, long length) {
        long end = offset + length;
        while (offset < end) {
            int at = (int) (offset % BLOCK);
            int count = (int) Math.min(BLOCK - at, end - offset);
            byte[] block = blocks.get(offset / BLOCK);
            if (block != null && count == BLOCK) {
                blocks.remove(offset / BLOCK);
            } else if (block != null) {
                java.util.Arrays.fill(block, at, at + count, (byte) 0);
            } else if (blocks.isEmpty()) {
                return;
            }
            offset += count;
        }
    }

    void extents(long offset, long length, Extents into) {
        long end = offset + length;
        long at = offset;
        while (at < end) {
            long step = blocks.isEmpty() ? end - at : Math.min(end, (at / BLOCK + 1) * BLOCK) - at;
            if (!into.add(step, !blocks.containsKey(at / BLOCK))) {
                return;
            }
            at += step;
        }
    }
}
