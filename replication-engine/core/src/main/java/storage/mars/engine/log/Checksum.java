// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** CRC32C over parts of buffers without moving their positions for others. Mutable, one owner. */
public final class Checksum {

    private final CRC32C crc = new CRC32C();

    /**
     * CRC32C of {@code length} bytes from {@code offset}; position and limit are as before
     * afterwards.
     */
    public int of(ByteBuffer buffer, int offset, int length) {
        int position = buffer.position();
        int limit = buffer.limit();
        crc.reset();
        crc.update(buffer.limit(offset + length).position(offset));
        buffer.limit(limit).position(position);
        return (int) crc.getValue();
    }

    /** Stores the CRC of a block's first 4092 bytes in its last four. */
    void sealBlock(ByteBuffer buffer, int offset) {
        buffer.putInt(offset + LogFormat.CRC_OFFSET, of(buffer, offset, LogFormat.CRC_OFFSET));
    }

    boolean blockIsSealed(ByteBuffer buffer, int offset) {
        return buffer.getInt(offset + LogFormat.CRC_OFFSET)
                == of(buffer, offset, LogFormat.CRC_OFFSET);
    }
}
