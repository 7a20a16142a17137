// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.log.Chain;
import storage.mars.engine.log.ReplicaMetadata;
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

    private static final Logger LOGGER = LoggerFactory.getLogger(Shipping.class);

    private final Replica replica;
    private final MemberList memberList;

    Shipping(Replica replica, MemberList memberList) {
        this.replica = replica;
        this.memberList = memberList;
    }

    /** The member's log must be this one, up to the frame boundary from which it asks. */
    void pull(Session session, Peer peer, Pull pull) {
        ReplicaParts parts = replica.parts();
        String refusal = refusal(peer, pull);
        if (refusal != null) {
            session.send(new Refused(refusal));
            return;
        }
        if (pull.from() < parts.segments.start()) {
            askForSync(
                    session, "the log before " + parts.segments.start() + " is not kept any more");
            return;
        }
        endShipping(session);
        long number = ++session.pulls;
        parts.links.read(
                pull.from(),
                (link, failure) -> {
                    boolean asked = session.pulls == number && stillServes(session, parts);
                    if (asked && link == null) {
                        logGone(session, peer, pull.from(), String.valueOf(failure));
                    } else if (asked && link != null) {
                        ship(session, peer, pull, link);
                    }
                });
    }

    /** Whether an answer that was begun with these parts has somebody to go to and still holds. */
    private boolean stillServes(Session session, ReplicaParts parts) {
        return !session.isClosed() && replica.isOpen() && replica.parts() == parts;
    }

    /** What was asked for before is not wanted any more. */
    private static void endShipping(Session session) {
        Shipper old = session.shipper;
        if (old != null) {
            old.end();
            session.shipper = null;
        }
    }

    private @Nullable String refusal(Peer peer, Pull pull) {
        Hello hello = peer.hello;
        if (!isSource() || hello == null) {
            return replica.name + " is not primary here";
        }
        long durable = replica.parts().tail.durable();
        long common = replica.current().history().commonEnd(durable, hello.history(), pull.from());
        return common == pull.from() ? null : "the logs of " + replica.name + " fork at " + common;
    }

    private void ship(Session session, Peer peer, Pull pull, Chain.Link link) {
        String forked =
                link.equals(pull.link())
                        ? null
                        : "the logs of " + replica.name + " differ below " + pull.from();
        String refusal = forked == null ? refusal(peer, pull) : forked;
        if (refusal != null) {
            session.send(new Refused(refusal));
            return;
        }
        memberList.attach(peer);
        Shipper shipper =
                new Shipper(
                        replica.parts().log,
                        session.codec(),
                        session.link,
                        (position, reason) -> logGone(session, peer, position, reason));
        session.shipper = shipper;
        shipper.pause(replica.current().switches().shippingPaused());
        shipper.start(pull.from(), pull.creditUntil());
    }

    /** Whether this log is, as far as is known here, the one that all follow. */
    private boolean isSource() {
        ReplicaMetadata current = replica.current();
        return (replica.isPrimary() || current.grant() != null) && current.fork() == null;
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
                    } else if (stillServes(session, parts) && isSource()) {
                        Peer peer = session.peer;
                        if (peer != null) {
                            peer.keptFrom = start;
                            memberList.attach(peer);
                        }
                        ReplicaMetadata m = replica.current();
                        session.send(new SyncNeeded(start, link, m.history(), reason, m.grant()));
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
        return Terms.openGrant(replica.current()) != null
                || replica.state() instanceof ReplicaState.Serving;
    }

    void readBlocks(Session session, ReadBlocks question) {
        if (!isSource()
                || replica.current().sync().inconsistent()
                || replica.current().switches().shippingPaused()) {
            session.send(
                    new BlocksUnavailable(
                            question.request(),
                            "the source is not primary, not consistent, or paused"));
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
                            replica.ports.offload(),
                            parts.feed::position);
            session.source = source;
        }
        if (!source.received(question)) {
            LOGGER.atWarn()
                    .addKeyValue("resource", replica.name)
                    .addKeyValue("peer", session.link.remote())
                    .log("a member asks for more blocks at once than the protocol allows");
            session.close();
        }
    }

    /** The link takes more again. */
    static void writable(Session session) {
        Shipper shipper = session.shipper;
        if (shipper != null) {
            shipper.advance();
        }
        SyncSource source = session.source;
        if (source != null) {
            source.advance();
        }
    }
}
