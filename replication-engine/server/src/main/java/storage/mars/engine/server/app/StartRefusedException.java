// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.app;

/** The engine cannot start as asked; the message is one line: what, why, and what to do. */
final class StartRefusedException extends Exception {

    private static final long serialVersionUID = 1L;

    StartRefusedException(String message) {
        super(message);
    }
}
