// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The data of NBD_OPT_LIST_META_CONTEXT and NBD_OPT_SET_META_CONTEXT. */
record MetaContextQuery(String export, List<String> queries) {

    static final int MAX_QUERIES = 1024;

    /** Null when the data is not exactly one query list. */
    static @Nullable MetaContextQuery parse(ByteBuf data) {
        String export = string(data);
        if (export == null || data.readableBytes() < Integer.BYTES) {
            return null;
        }
        long count = data.readUnsignedInt();
        List<String> queries = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            String query = string(data);
            if (query == null) {
                return null;
            }
            queries.add(query);
        }
        return data.isReadable() ? null : new MetaContextQuery(export, queries);
    }

    boolean tooMany() {
        return queries.size() > MAX_QUERIES;
    }

    /** Whether LIST shows base:allocation: by default, for its namespace, and for itself. */
    boolean lists() {
        return queries.isEmpty() || queries.contains("base:") || selects();
    }

    /** Whether SET selects base:allocation: only by its full name. */
    boolean selects() {
        return queries.contains(Nbd.BASE_ALLOCATION);
    }

    private static @Nullable String string(ByteBuf data) {
        if (data.readableBytes() < Integer.BYTES) {
            return null;
        }
        return WireStrings.read(data, data.readUnsignedInt());
    }
}
