// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.buffer.ByteBuf;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The data of NBD_OPT_INFO and NBD_OPT_GO: an export's name and what is asked about it. */
record ExportQuery(String name, Set<Integer> infos) {

    /** Null when the data is not exactly one query. */
    static @Nullable ExportQuery parse(ByteBuf data) {
        if (data.readableBytes() < Integer.BYTES + Short.BYTES) {
            return null;
        }
        long nameLength = data.readUnsignedInt();
        if (nameLength > data.readableBytes() - Short.BYTES) {
            return null;
        }
        String name = WireStrings.read(data, nameLength);
        if (name == null || data.readableBytes() < Short.BYTES) {
            return null;
        }
        int count = data.readUnsignedShort();
        if (data.readableBytes() != count * Short.BYTES) {
            return null;
        }
        Set<Integer> infos = new HashSet<>();
        while (data.isReadable()) {
            infos.add(data.readUnsignedShort());
        }
        return new ExportQuery(name, infos);
    }
}
