// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.log.ReplicaMetadata.Role;
import storage.mars.engine.replication.PeerMessage.Hello;

/** What a replica says of itself to a member. */
final class OwnHello {

    private OwnHello() {}

    /** What {@code replica} is now; its metadata have been read. */
    static Hello of(Replica replica, Session to) {
        ReplicaMetadata m = replica.current();
        @Nullable ReplicaParts open = replica.isOpen() ? replica.parts() : null;
        long checkpoint = m.checkpoint().position();
        return new Hello(
                to.dialled,
                m.identity().resourceId(),
                replica.name,
                m.identity().replicaId(),
                m.identity().replicaName(),
                replica.settings.advertise(),
                m.role() == Role.PRIMARY && open != null,
                replica.state().name(),
                m.highestTerm(),
                Terms.offeredTo(to.peer, m),
                m.incarnation(),
                m.history(),
                open == null ? m.durableKnown() : open.tail.durable(),
                open == null ? checkpoint : open.feed.applied(),
                checkpoint,
                !m.sync().inconsistent(),
                replica.following().syncing().copiedBytes(),
                replica.following().syncing().totalBytes(),
                m.switches().shippingPaused(),
                replica.ports.clock().wallMicros(),
                m.members());
    }
}
