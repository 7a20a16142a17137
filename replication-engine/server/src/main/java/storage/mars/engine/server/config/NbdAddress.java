// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.config;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Where block devices are served: a Unix socket of this machine or a TCP address. */
public sealed interface NbdAddress {

    /**
     * Reads {@code unix:PATH} or {@code HOST:PORT}; fails with a message that says what is wrong.
     */
    static NbdAddress parse(String text) {
        return text.startsWith("unix:")
                ? new Unix(Path.of(text.substring("unix:".length())))
                : new Tcp(HostPort.parse(text));
    }

    /** A socket file, which the engine creates and removes. */
    record Unix(Path path) implements NbdAddress {

        /** What fits into the kernel's socket address, with its final zero. */
        private static final int LONGEST = 107;

        public Unix {
            if (path.toString().isEmpty()) {
                throw new IllegalArgumentException("'unix:' names no path");
            }
            path = path.toAbsolutePath().normalize();
            int length = path.toString().getBytes(StandardCharsets.UTF_8).length;
            if (length > LONGEST) {
                throw new IllegalArgumentException(
                        "socket path "
                                + path
                                + " has "
                                + length
                                + " bytes; the kernel takes at most "
                                + LONGEST);
            }
        }

        @Override
        public String toString() {
            return "unix:" + path;
        }
    }

    /** A TCP address. */
    record Tcp(HostPort address) implements NbdAddress {

        @Override
        public String toString() {
            return address.toString();
        }
    }
}
