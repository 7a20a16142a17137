// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.config;

import java.time.Duration;

/** How long a restarted primary waits for its members before it serves. */
public sealed interface PeerWait {

    /** Reads {@code auto}, {@code forever} or a duration such as {@code 30s}. */
    static PeerWait parse(String text) {
        return switch (text) {
            case "auto" -> new Automatic();
            case "forever" -> new Forever();
            default -> new For(Quantities.duration(text));
        };
    }

    /** Short within the same boot of the machine, longer after a boot. */
    record Automatic() implements PeerWait {

        /** A restart of the engine alone: the members were just there. */
        public static final Duration SAME_BOOT = Duration.ofSeconds(1);

        /** The machine was down: another member may have been promoted meanwhile. */
        public static final Duration OTHER_BOOT = Duration.ofSeconds(60);
    }

    /** Until every member has answered. */
    record Forever() implements PeerWait {}

    /** At most so long. */
    record For(Duration limit) implements PeerWait {

        public For {
            if (limit.isNegative() || limit.compareTo(Duration.ofHours(1)) > 0) {
                throw new IllegalArgumentException("a wait is within 0s and 60m, or forever");
            }
        }
    }
}
