// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.log.ReplicaMetadata.Member;
import storage.mars.engine.replication.PeerMessage.Hello;
import storage.mars.engine.replication.PeerMessage.JoinAccepted;
import storage.mars.engine.replication.PeerMessage.JoinRequest;
import storage.mars.engine.replication.PeerMessage.Leave;
import storage.mars.engine.replication.PeerMessage.LeaveAccepted;
import storage.mars.engine.replication.PeerMessage.Refused;

/**
 * The list of members in the metadata, and every change of it: takes in who asks to join, strikes
 * off who leaves, attaches who pulls, detaches for whom the log is not kept any more; a secondary
 * has it from the one that holds the role. Owned by the shard.
 */
final class MemberList {

    private static final Logger LOGGER = LoggerFactory.getLogger(MemberList.class);

    private static final int MAX_MEMBERS = 16;
    private static final int MAX_NAME = 63;
    private static final int MAX_ADDRESS = 255;

    private final Replica replica;
    private final Runnable announce;
    private Runnable onLeft = () -> {};

    /** {@code announce} tells all members what this replica says of itself. */
    MemberList(Replica replica, Runnable announce) {
        this.replica = replica;
        this.announce = announce;
    }

    // Adopting

    /** A secondary has the list of members from the one that holds the role. */
    void adopt(Hello hello) {
        ReplicaMetadata current = replica.current();
        boolean from =
                !replica.isPrimary()
                        && RoleRules.holdsRole(hello)
                        && hello.history().lastId().term() >= current.history().lastId().term()
                        && hello.members().stream().anyMatch(m -> m.id() == replica.replicaId());
        if (from && !hello.members().equals(current.members())) {
            replica.metadata()
                    .update(
                            draft -> draft.members = hello.members(),
                            failure -> {
                                if (failure != null) {
                                    replica.metadataFailed(failure);
                                } else {
                                    replica.members().set(replica.current().members());
                                }
                            });
            replica.members().set(hello.members());
        }
    }

    // Attaching

    void attach(Peer peer) {
        if (!peer.attached) {
            peer.attached = true;
            recordAttached(peer, true);
        }
    }

    /**
     * The log has reached its budget or the end of the disk: the member that is farthest behind is
     * not waited for any longer; when it is the images that are behind, a checkpoint helps.
     */
    void makeSpace() {
        if (!replica.isOpen() || !replica.isPrimary()) {
            return;
        }
        ReplicaParts parts = replica.parts();
        if (parts.segments.stall() == null) {
            return;
        }
        long needed = parts.checkpointer.position();
        Peer slowest = null;
        long lowest = needed;
        for (Peer peer : List.copyOf(replica.members().all())) {
            long position = peer.received == Peer.UNKNOWN ? 0 : peer.received;
            if (peer.attached && position < lowest) {
                slowest = peer;
                lowest = position;
            }
        }
        if (slowest != null) {
            detach(slowest);
        } else {
            parts.checkpointer.start();
        }
    }

    /** Nothing is kept any more for the member that is farthest behind; it comes back by a sync. */
    private void detach(Peer peer) {
        LOGGER.atWarn()
                .addKeyValue("resource", replica.name)
                .addKeyValue("peer", peer.name)
                .addKeyValue("position", peer.received)
                .log("the log is full: its slowest member is dropped and will come back by a sync");
        peer.attached = false;
        Session session = peer.session;
        if (session != null) {
            // When it comes back it asks again for what it lacks, and is told what is left of that.
            session.endStreams();
            session.close();
        }
        recordAttached(peer, false);
    }

    private void recordAttached(Peer peer, boolean attached) {
        replica.metadata()
                .update(
                        draft ->
                                draft.members =
                                        draft.members.stream()
                                                .map(m ->
                                                        m.id() == peer.id
                                                                ? new Member(
                                                                        m.id(),
                                                                        m.name(),
                                                                        m.address(),
                                                                        attached)
                                                                : m)
                                                .toList(),
                        failure -> {
                            if (failure != null) {
                                replica.metadataFailed(failure);
                            } else {
                                replica.members().set(replica.current().members());
                                announce.run();
                                if (replica.isOpen()) {
                                    replica.parts().checkpointer.releaseSegments();
                                }
                            }
                        });
    }

    // Joining

    void join(Session session, JoinRequest request) {
        if (!replica.isOpen() || !(replica.state() instanceof ReplicaState.Serving)) {
            session.send(new Refused(replica.name + " is not primary here" + whereIsPrimary()));
            return;
        }
        Peer same = replica.members().named(request.replicaName());
        boolean self = request.replicaName().equals(replica.settings.engineName());
        if (self || (same != null && same.id != request.replicaId() && same.isConnected())) {
            session.send(
                    new Refused(
                            "an engine named "
                                    + request.replicaName()
                                    + " already holds a replica of "
                                    + replica.name
                                    + ": engine names must differ"));
            return;
        }
        String refusal = refusal(request);
        if (refusal != null) {
            session.send(new Refused(refusal));
            return;
        }
        Member joined =
                new Member(request.replicaId(), request.replicaName(), request.address(), true);
        replica.metadata()
                .update(
                        draft -> draft.members = with(draft.members, joined),
                        failure -> {
                            if (failure != null) {
                                session.send(
                                        new Refused(
                                                "the membership cannot be recorded: " + failure));
                                return;
                            }
                            replica.members().set(replica.current().members());
                            accept(session, joined);
                        });
    }

    /** What keeps names and number of members within what metadata and messages hold. */
    private @Nullable String refusal(JoinRequest request) {
        boolean named =
                request.replicaName().length() <= MAX_NAME
                        && request.address().length() <= MAX_ADDRESS;
        if (!named) {
            return "an engine's name has at most "
                    + MAX_NAME
                    + " letters, its address "
                    + MAX_ADDRESS;
        }
        boolean full = replica.current().members().size() >= MAX_MEMBERS;
        return full && replica.members().named(request.replicaName()) == null
                ? replica.name + " has " + MAX_MEMBERS + " replicas already, as many as can be"
                : null;
    }

    private static List<Member> with(List<Member> members, Member joined) {
        List<Member> changed = new ArrayList<>();
        for (Member member : members) {
            if (!member.name().equals(joined.name())) {
                changed.add(member);
            }
        }
        changed.add(joined);
        return changed;
    }

    private void accept(Session session, Member joined) {
        ReplicaParts parts = replica.parts();
        long start = parts.tail.durable();
        Peer peer = replica.members().get(joined.id());
        if (peer != null) {
            peer.received = start;
        }
        parts.links.read(
                start,
                (link, failure) -> {
                    if (link == null) {
                        session.send(new Refused("the log cannot be read: " + failure));
                        return;
                    }
                    ReplicaMetadata m = replica.current();
                    session.send(
                            new JoinAccepted(
                                    m.identity().resourceId(),
                                    replica.name,
                                    m.identity().segmentBytes(),
                                    m.volumes(),
                                    m.members(),
                                    m.history(),
                                    m.highestTerm(),
                                    m.incarnation(),
                                    start,
                                    link));
                    announce.run();
                });
    }

    private String whereIsPrimary() {
        for (Peer peer : replica.members().all()) {
            Hello hello = peer.hello;
            if (hello != null && hello.primary()) {
                return "; it is at "
                        + peer.name
                        + ", marsadm join-resource "
                        + replica.name
                        + " --from "
                        + peer.address;
            }
        }
        return "; no primary is known here";
    }

    // Leaving

    void leave(Session session, Leave leave) {
        strikeOff(leave.replicaId(), () -> session.send(new LeaveAccepted(leave.replicaId())));
    }

    /** Takes a member off the list; {@code done} runs when that is durable. */
    void strikeOff(long id, Runnable done) {
        if (!replica.isPrimary()) {
            return;
        }
        replica.metadata()
                .update(
                        draft ->
                                draft.members =
                                        draft.members.stream().filter(m -> m.id() != id).toList(),
                        failure -> {
                            if (failure != null) {
                                replica.metadataFailed(failure);
                                return;
                            }
                            done.run();
                            replica.members().set(replica.current().members());
                            announce.run();
                            replica.changed();
                        });
    }

    /** {@code task} runs when this replica has been struck off. */
    void whenLeft(Runnable task) {
        onLeft = task;
    }

    void left() {
        onLeft.run();
    }
}
