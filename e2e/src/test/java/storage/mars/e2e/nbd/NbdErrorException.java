// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e.nbd;

import java.io.IOException;

/** The server answered a request with an error; the connection lives on. */
public final class NbdErrorException extends IOException {
    private static final long serialVersionUID = 1L;
    private final int error;

    NbdErrorException(int error, String request) {
        super(request + " answered with error " + error);
        this.error = error;
    }

    /** The errno on the wire. */
    public int error() {
        return error;
    }
}
