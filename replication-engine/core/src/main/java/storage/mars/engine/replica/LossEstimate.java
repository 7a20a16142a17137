// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.replica.Peer.AsPrimary;
import storage.mars.engine.replication.PeerMessage.Hello;

/**
 * What a forced promotion of this replica would lose now. Exact while the one primary of the term
 * in force is connected, has just been heard, and this replica's log is the beginning of its log;
 * else at least what was known at the last contact. Of a primary whose log goes on differently, all
 * behind the fork would be lost; of several primaries of one term, what each of them holds. A
 * primary of an older term counts for nothing: who came after it decides.
 *
 * @param bytes of log that this replica does not have
 * @param seconds of age of this replica's content, at the last contact
 * @param unknownSinceMicros wall clock of that contact, the earliest of several; 0 when there never
 *     was one; only if not exact
 * @param ahead members, connected now, that hold more than this replica, and are not its primary
 */
public record LossEstimate(
        boolean exact, long bytes, double seconds, long unknownSinceMicros, List<String> ahead) {

    /** A hello comes every second; where it is late, the primary may be gone, and further. */
    private static final long FRESH_NANOS = 1_500_000_000L;

    static LossEstimate of(Replica replica) {
        long end = replica.parts().tail.durable();
        long term = Terms.inForce(replica.current());
        EpochHistory history = replica.current().history();
        int primaries = 0;
        boolean exact = true;
        long bytes = 0;
        long ageNanos = 0;
        long unknownSince = Long.MAX_VALUE;
        for (Peer peer : replica.members().all()) {
            AsPrimary last = peer.asPrimary;
            if (last == null || last.term() != term) {
                continue;
            }
            primaries++;
            Hello said = last.hello();
            long common = history.commonEnd(end, said.history(), said.durable());
            boolean sameLog = common == end || history.lastId().equals(said.history().lastId());
            boolean fresh = isFresh(replica, peer, last);
            exact &= sameLog && fresh;
            bytes += said.durable() - Math.max(0, common);
            if (sameLog) {
                long known = fresh ? replica.ports.clock().nanoTime() : last.nanos();
                ageNanos = Math.max(ageNanos, replica.lag.ageNanos(end, said.durable(), known));
            }
            unknownSince = Math.min(unknownSince, last.wallMicros());
        }
        exact &= primaries == 1;
        return new LossEstimate(
                exact,
                bytes,
                ageNanos / 1e9,
                exact || primaries == 0 ? 0 : unknownSince,
                ahead(replica, end, term));
    }

    /** Whether it is connected, and its newest word, just heard, is that of a primary. */
    private static boolean isFresh(Replica replica, Peer peer, AsPrimary last) {
        return peer.isConnected()
                && isPrimary(peer, last.term())
                && replica.ports.clock().nanoTime() - last.nanos() <= FRESH_NANOS;
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

    private static List<String> ahead(Replica replica, long end, long term) {
        return replica.members().all().stream()
                .filter(peer -> peer.isConnected() && !isPrimary(peer, term))
                .filter(peer -> peer.received > end)
                .map(peer -> peer.name)
                .toList();
    }

    private static boolean isPrimary(Peer peer, long term) {
        Hello hello = peer.hello;
        return hello != null && hello.primary() && hello.history().lastId().term() == term;
    }

    String describe() {
        String what =
                (exact ? "exactly " : "at least ")
                        + bytes
                        + " bytes of log ("
                        + String.format(Locale.ROOT, "%.1f", seconds)
                        + " s)";
        if (exact) {
            return what;
        }
        return what
                + (unknownSinceMicros == 0
                        ? ", as no primary of the term in force has been heard"
                        : ", unknown since the last contact with a primary");
    }
}
