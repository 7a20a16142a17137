// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Strings as NBD has them: UTF-8 without NUL, at most 4096 bytes. */
final class WireStrings {

    private static final int SHOWN = 200;

    private WireStrings() {}

    /** The next {@code length} bytes as a string; null when they are not there or not a string. */
    static @Nullable String read(ByteBuf from, long length) {
        if (length > Nbd.MAX_STRING || length > from.readableBytes()) {
            return null;
        }
        byte[] bytes = new byte[(int) length];
        from.readBytes(bytes);
        try {
            String text =
                    StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            return text.indexOf('\0') < 0 ? text : null;
        } catch (CharacterCodingException notUtf8) {
            return null;
        }
    }

    /** As bytes, cut to what may be sent. */
    static byte[] encode(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length <= Nbd.MAX_STRING) {
            return bytes;
        }
        int end = Nbd.MAX_STRING;
        while ((bytes[end] & 0xC0) == 0x80) {
            end--;
        }
        return Arrays.copyOf(bytes, end);
    }

    /** A name from outside, fit for logs and error texts: short, and without control characters. */
    static String shown(String name) {
        String cut = name.length() <= SHOWN ? name : name.substring(0, SHOWN) + "...";
        return cut.replaceAll("[\\p{Cntrl}\\p{Cf}\\p{Cs}]", "?");
    }
}
