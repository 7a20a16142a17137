// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.ControlPayload;
import storage.mars.engine.log.FrameView;
import storage.mars.engine.log.RecordType;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.log.ReplicaMetadata.Grant;
import storage.mars.engine.log.ReplicaMetadata.Offer;
import storage.mars.engine.replication.PeerMessage.SyncNeeded;

/**
 * What the newest END of the log says: its writer may have given a term to somebody, of whom
 * nothing has been heard here yet. A promotion by force takes a term above it. Owned by the shard.
 */
final class OfferedTerm {

    private final Replica replica;
    private @Nullable Offer latest;

    OfferedTerm(Replica replica) {
        this.replica = replica;
    }

    /** A frame has been received, or found at the start: an END in it is remembered, durably. */
    void frame(FrameView frame) {
        for (int i = 0; i < frame.recordCount(); i++) {
            Offer offer = frame.type(i) == RecordType.END ? ControlPayload.offer(frame, i) : null;
            if (offer != null) {
                remember(offer);
            }
        }
    }

    private void remember(Offer offer) {
        latest = offer;
        if (offer.equals(replica.current().offer())) {
            return;
        }
        replica.metadata()
                .update(
                        draft -> draft.offer = offer,
                        failure -> {
                            if (failure != null) {
                                replica.metadataFailed(failure);
                            }
                        });
    }

    /**
     * The log is another from {@code position} on, or begins there: what an END behind it says was
     * never said.
     */
    void cut(ReplicaMetadata.Draft draft, long position) {
        latest = null;
        if (draft.offer != null && draft.offer.position() > position) {
            draft.offer = null;
        }
    }

    /** The log begins there: of an END just before it only the sender can tell. */
    void beginAt(ReplicaMetadata.Draft draft, SyncNeeded needed) {
        latest = null;
        Grant grant = needed.grant();
        draft.offer =
                grant == null ? null : new Offer(needed.start(), grant.toReplica(), grant.term());
    }

    /** The term that somebody else may have by it; 0 when nobody may. */
    long term() {
        ReplicaMetadata m = replica.current();
        Offer offer = latest == null ? m.offer() : latest;
        boolean other =
                offer != null
                        && m.grant() == null
                        && offer.toReplica() != replica.replicaId()
                        && offer.stands(m.history());
        return other && offer != null ? offer.term() : 0;
    }
}
