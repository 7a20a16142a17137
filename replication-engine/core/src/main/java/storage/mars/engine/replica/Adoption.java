// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.util.function.Consumer;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.log.ReplicaMetadata.Draft;
import storage.mars.engine.log.ReplicaMetadata.Role;
import storage.mars.engine.replication.PeerMessage.Hello;

/**
 * Takes over the history of the member that is followed: its epochs are in the metadata before
 * their first byte is in the log. While one is under way nobody is followed by the history before
 * it. Owned by the shard.
 */
final class Adoption {

    private final Replica replica;
    private boolean underWay;

    Adoption(Replica replica) {
        this.replica = replica;
    }

    boolean isUnderWay() {
        return underWay;
    }

    /** Whether nothing is left to be taken over. */
    static boolean isDone(ReplicaMetadata current, Hello hello) {
        return current.history().lastId().equals(hello.history().lastId())
                && current.incarnation() == hello.incarnation()
                && current.grant() == null
                && current.fork() == null;
    }

    /**
     * {@code done} hears whether it was taken over, durably; it is not when this replica's log,
     * history, role or term have changed since the hello was judged.
     */
    void start(Hello hello, Consumer<Boolean> done) {
        ReplicaParts parts = replica.parts();
        long end = parts.tail.end();
        long durable = parts.tail.durable();
        EpochHistory judged = replica.current().history();
        boolean[] asJudged = {false};
        underWay = true;
        replica.metadata()
                .update(
                        draft -> {
                            asJudged[0] =
                                    draft.role == Role.SECONDARY
                                            && draft.history.equals(judged)
                                            && draft.highestTerm <= hello.history().lastId().term()
                                            && parts.tail.end() == end;
                            if (asJudged[0]) {
                                adopt(draft, hello, durable);
                            }
                        },
                        failure -> {
                            underWay = false;
                            if (failure != null) {
                                replica.metadataFailed(failure);
                            } else {
                                done.accept(asJudged[0]);
                            }
                        });
    }

    private static void adopt(Draft draft, Hello hello, long durable) {
        // The member may have forgotten epochs that this replica has to read once more.
        EpochHistory own = draft.history.prunedBelow(draft.checkpoint.position());
        draft.history = hello.history().precededBy(own);
        draft.durableKnown = Math.max(draft.durableKnown, durable);
        draft.incarnation = hello.incarnation();
        draft.highestTerm = Math.max(draft.highestTerm, hello.highestTerm());
        draft.fork = null;
        if (draft.grant != null && hello.history().lastId().term() >= draft.grant.term()) {
            draft.grant = null;
        }
    }
}
