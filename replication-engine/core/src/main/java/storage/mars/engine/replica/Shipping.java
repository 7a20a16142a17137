// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.log.ReplicaMetadata.Grant;
import storage.mars.engine.replication.PeerMessage.BlocksUnavailable;
import storage.mars.engine.replication.PeerMessage.Credit;
import storage.mars.engine.replication.PeerMessage.Hello;
import storage.mars.engine.replication.PeerMessage.Position;
import storage.mars.engine.replication.PeerMessage.Pull;
import storage.mars.engine.replication.PeerMessage.ReadBlocks;
import storage.mars.engine.replication.PeerMessage.Refused;
import storage.mars.engine.replication.PeerMessage.SyncNeeded;
import storage.mars.engine.replication.Shipper;
import storage.mars.engine.replication.SyncSource;

/**
 * Being followed: ships the log to members that pull it, serves blocks to those that copy, and
 * takes in how far each is. Owned by the shard.
 */
final class Shipping {

    private final Replica replica;
    private final MemberList memberList;

    Shipping(Replica replica, MemberList memberList) {
        this.replica = replica;
        this.memberList = memberList;
    }

    void pull(Session session, Peer peer, Pull pull) {
        ReplicaParts parts = replica.parts();
        ReplicaMetadata current = replica.current();
        Grant grant = current.grant();
        boolean source = replica.isPrimary() || grant != null;
        Hello hello = peer.hello;
        if (!source || hello == null || current.fork() != null) {
            session.send(new Refused(replica.name + " is not primary here"));
            return;
        }
        long common =
                current.history().commonEnd(parts.tail.durable(), hello.history(), pull.from());
        if (common != pull.from()) {
            session.send(new Refused("the logs of " + replica.name + " fork at " + common));
            return;
        }
        peer.received = pull.from();
        if (pull.from() < parts.segments.start()) {
            askForSync(
                    session, "the log before " + parts.segments.start() + " is not kept any more");
            return;
        }
        memberList.attach(peer);
        Shipper shipper =
                new Shipper(
                        parts.log,
                        session.codec(),
                        session.link,
                        (position, reason) -> logGone(session, peer, position, reason));
        Shipper old = session.shipper;
        if (old != null) {
            old.end();
        }
        session.shipper = shipper;
        shipper.pause(current.switches().shippingPaused());
        shipper.start(pull.from(), pull.creditUntil());
    }

    private void logGone(Session session, Peer peer, long position, String reason) {
        if (!replica.isOpen()) {
            return;
        }
        session.endStreams();
        ReplicaParts parts = replica.parts();
        if (position >= parts.segments.start()) {
            replica.logDamage.found(position, reason, peer);
            // What is below a checkpoint is needed by nobody here.
            parts.checkpointer.start();
            replica.changed();
        }
        askForSync(session, "the log at " + position + " is gone: " + reason);
    }

    private void askForSync(Session session, String reason) {
        ReplicaParts parts = replica.parts();
        long start = parts.tail.durable();
        parts.links.read(
                start,
                (link, failure) -> {
                    if (link == null) {
                        // It asks again over a new link.
                        session.close();
                    } else if (!session.isClosed()) {
                        Peer peer = session.peer;
                        if (peer != null) {
                            peer.received = start;
                            memberList.attach(peer);
                        }
                        session.send(
                                new SyncNeeded(start, link, replica.current().history(), reason));
                    }
                });
    }

    static void credit(Session session, Credit credit) {
        Shipper shipper = session.shipper;
        if (shipper != null) {
            shipper.credit(credit.until());
        }
    }

    void position(Session session, Peer peer, Position position) {
        peer.received = position.durable();
        peer.applied = position.applied();
        peer.contactNanos = replica.ports.clock().nanoTime();
        peer.contactWallMicros = replica.ports.clock().wallMicros();
        replica.writership().handoverSource().progress();
        if (session.isWaitedFor() && canBePulled()) {
            session.close();
        }
    }

    /**
     * The log that ended for whoever pulled it (this replica started over, or dropped a member) can
     * be had again, over a new link.
     */
    private boolean canBePulled() {
        return replica.openGrant() != null || replica.state() instanceof ReplicaState.Serving;
    }

    void readBlocks(Session session, ReadBlocks question) {
        if (replica.current().sync().inconsistent()
                || replica.current().switches().shippingPaused()) {
            session.send(
                    new BlocksUnavailable(
                            question.request(), "the source is not consistent, or paused"));
            return;
        }
        SyncSource source = session.source;
        if (source == null) {
            ReplicaParts parts = replica.parts();
            source =
                    new SyncSource(
                            parts.reader,
                            parts.images,
                            parts.log,
                            session.codec(),
                            session.link,
                            parts.feed::position);
            session.source = source;
        }
        source.received(question);
    }

    /** The link takes more again. */
    static void writable(Session session) {
        Shipper shipper = session.shipper;
        if (shipper != null) {
            shipper.advance();
        }
    }
}
