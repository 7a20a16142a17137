// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e.load;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * The content of one 4 KiB block, which tells by itself which write of which run it is. A block of
 * zeroes was never written (sequence 0).
 */
public final class BlockStamp {
    public static final int SIZE = 4096;
    private static final long MAGIC = 0x4d41525353544d50L;
    private static final int CRC_AT = SIZE - Integer.BYTES;

    private BlockStamp() {}

    /** What was found in a block: a write of this run, or why it is none. */
    public sealed interface Found {}

    public record Version(long sequence) implements Found {}

    public record Damaged(String reason) implements Found {}

    public static byte[] encode(long run, int block, long sequence) {
        var buffer = ByteBuffer.allocate(SIZE);
        buffer.putLong(MAGIC).putLong(run).putLong(block).putLong(sequence).putLong(~sequence);
        long fill = run ^ (block * 0x9e3779b97f4a7c15L) ^ sequence;
        while (buffer.position() + Long.BYTES <= CRC_AT) {
            fill = fill * 6364136223846793005L + 1442695040888963407L;
            buffer.putLong(fill);
        }
        return buffer.putInt(CRC_AT, crc(buffer)).array();
    }

    public static Found decode(long run, int block, ByteBuffer content) {
        if (content.remaining() != SIZE) {
            return new Damaged(content.remaining() + " bytes");
        }
        ByteBuffer data = content.slice();
        if (isZero(data)) {
            return new Version(0);
        }
        if (data.getLong(0) != MAGIC) {
            return new Damaged("not a stamped block");
        }
        if (data.getInt(CRC_AT) != crc(data)) {
            return new Damaged("checksum does not match: a torn or mixed block");
        }
        if (data.getLong(8) != run) {
            return new Damaged("written by another run");
        }
        if (data.getLong(16) != block) {
            return new Damaged("is the content of block " + data.getLong(16));
        }
        return new Version(data.getLong(24));
    }

    private static boolean isZero(ByteBuffer data) {
        for (int at = 0; at < SIZE; at += Long.BYTES) {
            if (data.getLong(at) != 0) {
                return false;
            }
        }
        return true;
    }

    private static int crc(ByteBuffer data) {
        var crc = new CRC32C();
        crc.update(data.duplicate().clear().limit(CRC_AT));
        return (int) crc.getValue();
    }
}
