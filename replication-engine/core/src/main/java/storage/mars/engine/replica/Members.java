// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.ReplicaMetadata.Member;
import storage.mars.engine.port.PeerLink;
import storage.mars.engine.port.PeerNetwork;
import storage.mars.engine.port.Ports;
import storage.mars.engine.replication.PeerCodec;
import storage.mars.engine.replication.PeerMessage.Hello;

/**
 * The other members of one resource and the links to them: one per member. Both sides dial; of two
 * links that cross, the one dialled by the smaller replica id stays. Owned by the shard.
 */
final class Members {

    private static final long FIRST_RETRY_NANOS = 200_000_000L;
    private static final long LAST_RETRY_NANOS = 5_000_000_000L;

    /** More than two hellos that did not come. */
    private static final long SUSPICIOUS_NANOS = 2_500_000_000L;

    private final Ports ports;
    private final PeerCodec codec;
    private final long self;
    private final Session.Conversation conversation;
    private final Consumer<Session> connected;
    private final Map<Long, Peer> peers = new LinkedHashMap<>();

    /** {@code connected} is told of links that this side has dialled: it says hello on them. */
    Members(
            Ports ports,
            PeerCodec codec,
            long self,
            Session.Conversation conversation,
            Consumer<Session> connected) {
        this.ports = ports;
        this.codec = codec;
        this.self = self;
        this.conversation = conversation;
        this.connected = connected;
    }

    /** The members are these now; who is not among them any more is let go. */
    void set(List<Member> members) {
        for (Member member : members) {
            if (member.id() != self) {
                Peer peer = peers.computeIfAbsent(member.id(), this::born);
                peer.name = member.name();
                peer.attached = member.attached();
                if (peer.hello == null) {
                    peer.address = member.address();
                }
            }
        }
        List<Peer> gone =
                peers.values().stream()
                        .filter(peer ->
                                members.stream().noneMatch(member -> member.id() == peer.id))
                        .toList();
        gone.forEach(this::drop);
    }

    private Peer born(long id) {
        Peer peer = new Peer(id);
        peer.nextDialNanos = ports.clock().nanoTime();
        return peer;
    }

    private void drop(Peer peer) {
        peers.remove(peer.id);
        Session session = peer.session;
        if (session != null) {
            peer.session = null;
            session.close();
        }
        hangUp(peer);
    }

    /** Ends the link that was dialled and has not been answered, if there is one. */
    private static void hangUp(Peer peer) {
        Session session = peer.greeting;
        if (session != null) {
            peer.greeting = null;
            session.close();
        }
    }

    Collection<Peer> all() {
        return peers.values();
    }

    @Nullable Peer get(long id) {
        return peers.get(id);
    }

    @Nullable Peer named(String name) {
        for (Peer peer : peers.values()) {
            if (peer.name.equals(name)) {
                return peer;
            }
        }
        return null;
    }

    /** Sessions with members that have said hello. */
    List<Session> sessions() {
        List<Session> open = new ArrayList<>();
        for (Peer peer : peers.values()) {
            Session session = peer.session;
            if (session != null) {
                open.add(session);
            }
        }
        return open;
    }

    /** Dials whoever is not connected, with growing pauses. */
    void dialMissing() {
        long now = ports.clock().nanoTime();
        for (Peer peer : peers.values()) {
            boolean alone = peer.session == null && peer.greeting == null && !peer.dialling;
            if (alone && now - peer.nextDialNanos >= 0) {
                dial(peer);
            }
        }
    }

    private void dial(Peer peer) {
        peer.dialling = true;
        ports.network()
                .dial(
                        peer.address,
                        new PeerNetwork.Dialer() {

                            @Override
                            public PeerLink.Receiver connected(PeerLink link) {
                                peer.dialling = false;
                                Session session = new Session(link, true, codec, conversation);
                                session.peer = peer;
                                peer.greeting = session;
                                session.heardNanos = ports.clock().nanoTime();
                                connected.accept(session);
                                return session;
                            }

                            @Override
                            public void failed(String reason) {
                                peer.dialling = false;
                                peer.failedDials++;
                                retryLater(peer);
                            }
                        });
    }

    private void retryLater(Peer peer) {
        long pause = Math.min(LAST_RETRY_NANOS, FIRST_RETRY_NANOS << Math.min(peer.failedDials, 6));
        long jitter = Math.floorMod(ports.entropy().nextLong(), pause / 4 + 1);
        peer.nextDialNanos = ports.clock().nanoTime() + pause - jitter;
    }

    /**
     * A hello has come over {@code session}; true when the session is, or becomes, the one with
     * that member. Else it has been closed.
     */
    boolean adopt(Session session, Hello hello) {
        Peer peer = peers.get(hello.replicaId());
        if (peer == null) {
            session.close();
            return false;
        }
        Session existing = peer.session;
        if (existing == session) {
            return true;
        }
        if (existing != null && !wins(session, existing, peer)) {
            session.close();
            return false;
        }
        if (existing != null) {
            peer.session = null;
            existing.close();
        }
        session.peer = peer;
        peer.session = session;
        peer.failedDials = 0;
        if (peer.greeting == session) {
            peer.greeting = null;
        }
        return true;
    }

    /**
     * Whether a new link replaces the one that is there: a newer one of the same side, one that
     * crossed it, or any when nothing has come over the old one for a while: whoever dials has lost
     * it.
     */
    private boolean wins(Session candidate, Session existing, Peer peer) {
        boolean silent = ports.clock().nanoTime() - existing.heardNanos > SUSPICIOUS_NANOS;
        return silent
                || candidate.dialled == existing.dialled
                || candidate.dialled == self < peer.id;
    }

    void ended(Session session) {
        Peer peer = session.peer;
        if (peer != null && peer.greeting == session) {
            peer.greeting = null;
        }
        if (peer != null && peer.session == session) {
            peer.session = null;
            retryLater(peer);
        } else if (peer != null && peer.session == null && session.dialled) {
            peer.failedDials++;
            retryLater(peer);
        }
    }

    /** More of the log is durable: whoever pulls gets it. */
    void logGrew() {
        for (Peer peer : peers.values()) {
            Session session = peer.session;
            if (session != null && session.shipper != null) {
                session.shipper.advance();
            }
        }
    }

    /**
     * Closes links on which nothing has been heard for {@code silenceNanos}: they are only half
     * there, or lead to an engine that stands still.
     */
    void closeSilent(long silenceNanos) {
        long now = ports.clock().nanoTime();
        for (Peer peer : peers.values()) {
            Session session = peer.session;
            if (session != null && now - session.heardNanos > silenceNanos) {
                session.close();
            }
            Session greeting = peer.greeting;
            if (greeting != null && now - greeting.heardNanos > silenceNanos) {
                hangUp(peer);
                retryLater(peer);
            }
        }
    }

    /** Whether every member has said since the start what it holds. */
    boolean allAnswered() {
        return peers.values().stream().allMatch(Peer::knowsWhatItHolds);
    }

    /**
     * First position that an attached member may still need; {@code floor} where one has not been
     * heard of.
     */
    long slowest(long floor) {
        long slowest = Long.MAX_VALUE;
        for (Peer peer : peers.values()) {
            if (peer.attached) {
                slowest = Math.min(slowest, peer.needs(floor));
            }
        }
        return slowest;
    }

    /**
     * First position at which the log of any member may end, also of one that is not attached;
     * {@code floor} where an attached one has not been heard of, 0 where another one has not.
     */
    long shortest(long floor) {
        long shortest = slowest(floor);
        for (Peer peer : peers.values()) {
            if (!peer.attached) {
                shortest = Math.min(shortest, peer.needs(0));
            }
        }
        return shortest;
    }

    void closeAll() {
        List<Peer> all = List.copyOf(peers.values());
        peers.clear();
        for (Peer peer : all) {
            Session session = peer.session;
            if (session != null) {
                session.close();
            }
            hangUp(peer);
        }
    }
}
