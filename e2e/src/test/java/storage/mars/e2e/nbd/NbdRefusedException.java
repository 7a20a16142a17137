// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e.nbd;

import java.io.IOException;

/** The server answered an option with an error. */
public final class NbdRefusedException extends IOException {
    private static final long serialVersionUID = 1L;
    private final int reply;

    NbdRefusedException(int reply, String message) {
        super("option refused with 0x" + Integer.toHexString(reply) + ": " + message);
        this.reply = reply;
    }

    /** The NBD_REP_ERR_* code. */
    public int reply() {
        return reply;
    }
}
