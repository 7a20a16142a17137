// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What this replica should still have of its log, and could not read when a member needed it. It
 * harms nobody here: the member comes back by a sync. Owned by the shard.
 */
final class LogDamage {

    private static final Logger LOGGER = LoggerFactory.getLogger(LogDamage.class);

    /** So long it is shown at least, that somebody sees it. */
    private static final long SHOWN_NANOS = 60_000_000_000L;

    private final Replica replica;
    private @Nullable Found found;

    private record Found(long position, String reason, Peer peer, long nanos) {}

    LogDamage(Replica replica) {
        this.replica = replica;
    }

    /** The log at {@code position} cannot be read for {@code peer}. */
    void found(long position, String reason, Peer peer) {
        found = new Found(position, reason, peer, replica.ports.clock().nanoTime());
        LOGGER.atError()
                .addKeyValue("resource", replica.name)
                .addKeyValue("peer", peer.name)
                .addKeyValue("position", position)
                .log("the log is damaged, the member comes back by a sync: {}", reason);
    }

    /**
     * In words for the operator, while what is damaged is kept, the member lacks it, or it is news;
     * else null.
     */
    @Nullable String words() {
        Found last = found;
        if (last == null) {
            return null;
        }
        boolean isKept = replica.isOpen() && last.position >= replica.parts().segments.start();
        boolean isLacked = last.peer.hello != null && !last.peer.hello.consistent();
        boolean isNews = replica.ports.clock().nanoTime() - last.nanos < SHOWN_NANOS;
        return isKept || isLacked || isNews
                ? "the log at "
                        + last.position
                        + " cannot be read ("
                        + last.reason
                        + "): "
                        + last.peer.name
                        + " comes back by a sync"
                : null;
    }
}
