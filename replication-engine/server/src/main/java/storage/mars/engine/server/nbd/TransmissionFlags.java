// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import storage.mars.engine.export.ExportInfo;

/** What an export promises to its clients. */
final class TransmissionFlags {

    private static final int ALWAYS =
            Nbd.HAS_FLAGS | Nbd.SEND_FLUSH | Nbd.SEND_FUA | Nbd.CAN_MULTI_CONN | Nbd.SEND_CACHE;
    private static final int WRITABLE = Nbd.SEND_TRIM | Nbd.SEND_WRITE_ZEROES | Nbd.SEND_FAST_ZERO;

    private TransmissionFlags() {}

    static int of(ExportInfo export, boolean rotational, boolean structuredReplies) {
        return ALWAYS
                | (export.readOnly() ? Nbd.READ_ONLY : WRITABLE)
                | (rotational ? Nbd.ROTATIONAL : 0)
                | (structuredReplies ? Nbd.SEND_DF : 0);
    }
}
