// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;

/**
 * The 28 bytes in front of every request ("Request message"); one per connection, filled again and
 * again.
 */
final class RequestHeader {

    int magic;
    int flags;
    int type;
    long cookie;
    long offset;
    long length;

    void parse(ByteBuf bytes, int at) {
        magic = bytes.getInt(at);
        flags = bytes.getUnsignedShort(at + 4);
        type = bytes.getUnsignedShort(at + 6);
        cookie = bytes.getLong(at + 8);
        offset = bytes.getLong(at + 16);
        length = bytes.getUnsignedInt(at + 24);
    }

    void parse(ByteBuffer bytes) {
        magic = bytes.getInt(0);
        flags = Short.toUnsignedInt(bytes.getShort(4));
        type = Short.toUnsignedInt(bytes.getShort(6));
        cookie = bytes.getLong(8);
        offset = bytes.getLong(16);
        length = Integer.toUnsignedLong(bytes.getInt(24));
    }

    boolean hasMagic() {
        return magic == Nbd.REQUEST_MAGIC;
    }

    boolean has(int flag) {
        return (flags & flag) != 0;
    }

    /** Bytes of payload that follow this header. */
    long payloadLength() {
        return type == Nbd.CMD_WRITE ? length : 0;
    }
}
