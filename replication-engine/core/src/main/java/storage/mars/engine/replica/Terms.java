// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.log.ReplicaMetadata.Grant;
import storage.mars.engine.log.ReplicaMetadata.Role;

/** What a replica's metadata say of the terms that are, or may be, in force. */
final class Terms {

    private Terms() {}

    /** The highest term heard of, or given away from here to somebody in particular. */
    static long inForce(ReplicaMetadata m) {
        Grant grant = m.grant();
        boolean given = grant != null && grant.toReplica() != Grant.ANYBODY;
        return given && grant != null ? Math.max(m.highestTerm(), grant.term()) : m.highestTerm();
    }

    /** What was laid down here and nobody has taken yet; null when there is none. */
    private static @Nullable Grant grant(ReplicaMetadata m) {
        Grant grant = m.grant();
        boolean stands =
                grant != null && grant.term() > m.highestTerm() && m.role() != Role.PRIMARY;
        return stands ? grant : null;
    }

    /**
     * The right to write that was laid down here for whoever asks; null when there is none, or a
     * higher term has made it void.
     */
    static @Nullable Grant openGrant(ReplicaMetadata m) {
        Grant grant = grant(m);
        return grant != null && grant.toReplica() == Grant.ANYBODY ? grant : null;
    }

    /** The term that a member may have from here, once it holds all of the log; 0 when none. */
    static long offeredTo(@Nullable Peer peer, ReplicaMetadata m) {
        Grant grant = grant(m);
        boolean its =
                grant != null
                        && (grant.toReplica() == Grant.ANYBODY
                                || (peer != null && grant.toReplica() == peer.id));
        return its && grant != null ? grant.term() : 0;
    }
}
