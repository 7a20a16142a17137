// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.replication.PeerMessage.Hello;

/**
 * What a forced promotion of this replica would lose now: exact while the primary is connected and
 * has just been heard, else at least what was known at the last contact.
 *
 * @param bytes of log that this replica does not have
 * @param seconds of age of this replica's content, at the last contact
 * @param unknownSinceMicros wall clock of that contact; 0 when there never was one; only if not
 *     exact
 * @param ahead members, connected now, that hold more than this replica
 */
public record LossEstimate(
        boolean exact, long bytes, double seconds, long unknownSinceMicros, List<String> ahead) {

    /** A hello comes every second; where it is late, the primary may be gone, and further. */
    private static final long FRESH_NANOS = 1_500_000_000L;

    static LossEstimate of(Replica replica) {
        long end = replica.parts().tail.durable();
        Peer primary = primary(replica);
        Hello hello = primary == null ? null : primary.hello;
        if (primary == null || hello == null) {
            return new LossEstimate(false, 0, 0, 0, ahead(replica, end));
        }
        long bytes = Math.max(0, Math.max(hello.durable(), primary.received) - end);
        long now = replica.ports.clock().nanoTime();
        boolean exact = primary.isConnected() && now - primary.contactNanos <= FRESH_NANOS;
        long known = exact ? now : primary.contactNanos;
        double seconds = replica.lag.ageNanos(end, hello.durable(), known) / 1e9;
        return new LossEstimate(
                exact, bytes, seconds, exact ? 0 : primary.contactWallMicros, ahead(replica, end));
    }

    /** The member that was last heard to hold the role in the highest term. */
    static @Nullable Peer primary(Replica replica) {
        Peer found = null;
        long term = -1;
        for (Peer peer : replica.members().all()) {
            Hello hello = peer.hello;
            if (hello != null && hello.primary() && hello.history().lastId().term() > term) {
                found = peer;
                term = hello.history().lastId().term();
            }
        }
        return found;
    }

    private static List<String> ahead(Replica replica, long end) {
        return replica.members().all().stream()
                .filter(peer -> peer.isConnected() && peer.hello != null && !peer.hello.primary())
                .filter(peer -> peer.received > end)
                .map(peer -> peer.name)
                .toList();
    }

    String describe() {
        String what =
                (exact ? "exactly " : "at least ")
                        + bytes
                        + " bytes of log ("
                        + String.format(Locale.ROOT, "%.1f", seconds)
                        + " s)";
        return exact ? what : what + ", unknown since the last contact with the primary";
    }
}
