// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Builds what clients send. */
final class Wire {

    private Wire() {}

    static byte[] option(int id, byte[] data) {
        return optionHeader(id, data.length, data);
    }

    /** An option whose length field says {@code length}. */
    static byte[] optionHeader(int id, long length, byte[] data) {
        return ByteBuffer.allocate(16 + data.length)
                .putLong(Nbd.OPTION_MAGIC)
                .putInt(id)
                .putInt((int) length)
                .put(data)
                .array();
    }

    /** Data of INFO and GO. */
    static byte[] query(String export, int... infos) {
        byte[] name = export.getBytes(StandardCharsets.UTF_8);
        ByteBuffer data = ByteBuffer.allocate(6 + name.length + 2 * infos.length);
        data.putInt(name.length).put(name).putShort((short) infos.length);
        for (int info : infos) {
            data.putShort((short) info);
        }
        return data.array();
    }

    /** Data of LIST_ and SET_META_CONTEXT. */
    static byte[] contexts(String export, String... queries) {
        byte[] name = export.getBytes(StandardCharsets.UTF_8);
        ByteBuffer data = ByteBuffer.allocate(1 << 16);
        data.putInt(name.length).put(name).putInt(queries.length);
        for (String query : queries) {
            byte[] bytes = query.getBytes(StandardCharsets.UTF_8);
            data.putInt(bytes.length).put(bytes);
        }
        return java.util.Arrays.copyOf(data.array(), data.position());
    }

    static byte[] request(int type, int flags, long cookie, long offset, long length) {
        return requestWithMagic(Nbd.REQUEST_MAGIC, type, flags, cookie, offset, length);
    }

    static byte[] requestWithMagic(
            int magic, int type, int flags, long cookie, long offset, long length) {
        return ByteBuffer.allocate(28)
                .putInt(magic)
                .putShort((short) flags)
                .putShort((short) type)
                .putLong(cookie)
                .putLong(offset)
                .putInt((int) length)
                .array();
    }

    static byte[] write(int flags, long cookie, long offset, byte[] data) {
        return join(request(Nbd.CMD_WRITE, flags, cookie, offset, data.length), data);
    }

    static byte[] join(byte[]... parts) {
        int length = 0;
        for (byte[] part : parts) {
            length += part.length;
        }
        ByteBuffer all = ByteBuffer.allocate(length);
        for (byte[] part : parts) {
            all.put(part);
        }
        return all.array();
    }
}
