// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.log.ReplicaMetadata.Member;
import storage.mars.engine.log.SegmentStore;
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

    /** Who has been accepted says hello on this link or another one within this. */
    private static final long HELLO_NANOS = 10_000_000_000L;

    private static final int MAX_MEMBERS = 16;
    private static final int MAX_NAME = 63;
    private static final int MAX_ADDRESS = 255;
    private static final String TOO_LONG =
            "an engine's name has at most " + MAX_NAME + " letters, its address " + MAX_ADDRESS;

    private final Replica replica;
    private final Runnable announce;
    private Runnable onLeft = () -> {};

    /** A member is being dropped from the log, not yet durably. */
    private boolean dropping;

    /** Where space was given back last, and how often none had been found there by then. */
    private @Nullable SegmentStore dropped;

    private int stallsThen;

    /** {@code announce} tells all members what this replica says of itself. */
    MemberList(Replica replica, Runnable announce) {
        this.replica = replica;
        this.announce = announce;
    }

    // Adopting

    /** Why nothing of that hello is taken in; null when it may be. */
    @Nullable String refusal(Hello hello) {
        boolean fits =
                hello.members().size() <= MAX_MEMBERS
                        && fits(hello.replicaName(), hello.address())
                        && hello.members().stream().allMatch(m -> fits(m.name(), m.address()));
        if (!fits) {
            return TOO_LONG + ", and a resource at most " + MAX_MEMBERS + " replicas";
        }
        boolean known = replica.members().get(hello.replicaId()) != null;
        return known || knowsThisLog(hello) ? null : noMember(hello);
    }

    /** A member that joined while this one was away may be the first to tell of itself. */
    private boolean knowsThisLog(Hello hello) {
        long common =
                replica.current()
                        .history()
                        .commonEnd(Long.MAX_VALUE, hello.history(), Long.MAX_VALUE);
        return common != EpochHistory.UNRELATED;
    }

    String noMember(Hello hello) {
        return hello.replicaName()
                + " is not a member of "
                + replica.name
                + ": it has left or was removed; marsadm leave-resource there, then join again";
    }

    private static boolean fits(String name, String address) {
        return name.length() <= MAX_NAME && address.length() <= MAX_ADDRESS;
    }

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
        Peer slowest = slowest();
        if (slowest == null) {
            parts.checkpointer.start();
        } else if (isWithoutHope(parts.segments)) {
            detach(slowest);
        }
    }

    /** The member that the log is kept for farthest back; null when that is for the images. */
    @Nullable Peer slowest() {
        Peer slowest = null;
        long lowest = replica.parts().checkpointer.position();
        for (Peer peer : replica.members().all()) {
            long position = peer.needs(0);
            if (peer.attached && position < lowest) {
                slowest = peer;
                lowest = position;
            }
        }
        return slowest;
    }

    /** Whether all that the last drop gave back is there, and it was not enough. */
    private boolean isWithoutHope(SegmentStore segments) {
        boolean settled = !dropping && !segments.isReleasing();
        return settled && (segments != dropped || segments.stalls() != stallsThen);
    }

    /** Nothing is kept any more for the member that is farthest behind; it comes back by a sync. */
    private void detach(Peer peer) {
        LOGGER.atWarn()
                .addKeyValue("resource", replica.name)
                .addKeyValue("peer", peer.name)
                .addKeyValue("position", peer.received)
                .log("the log is full: its slowest member is dropped and will come back by a sync");
        peer.attached = false;
        dropping = true;
        Session session = peer.session;
        if (session != null) {
            // When it comes back it asks again for what it lacks, and is told what is left of that.
            session.endStreams();
            session.close();
        }
        recordAttached(peer, false);
    }

    private void recorded(boolean attached) {
        dropping &= attached;
        replica.members().set(replica.current().members());
        announce.run();
        if (replica.isOpen()) {
            ReplicaParts parts = replica.parts();
            parts.checkpointer.releaseSegments();
            dropped = attached ? dropped : parts.segments;
            stallsThen = attached ? stallsThen : parts.segments.stalls();
        }
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
                                recorded(attached);
                            }
                        });
    }

    // Joining

    void join(Session session, JoinRequest request) {
        if (!mayAccept()) {
            session.refuse(notPrimary());
            return;
        }
        Peer same = replica.members().named(request.replicaName());
        boolean self = request.replicaName().equals(replica.settings.engineName());
        if (self || (same != null && same.id != request.replicaId() && same.isConnected())) {
            session.refuse(
                    RefusedText.of(
                            "an engine named "
                                    + request.replicaName()
                                    + " already holds a replica of "
                                    + replica.name
                                    + ": engine names must differ",
                            NextStep.advice("start this engine with another --name")));
            return;
        }
        String refusal = refusal(request);
        if (refusal != null) {
            session.refuse(refusal);
            return;
        }
        Member joined =
                new Member(request.replicaId(), request.replicaName(), request.address(), true);
        replica.metadata()
                .update(
                        draft -> draft.members = with(draft.members, joined),
                        failure -> {
                            if (failure != null) {
                                session.refuse(
                                        RefusedText.of(
                                                "the membership cannot be recorded: " + failure,
                                                lookThere()));
                                return;
                            }
                            replica.members().set(replica.current().members());
                            if (mayAccept()) {
                                accept(session, joined);
                            } else {
                                session.refuse(notPrimary());
                            }
                        });
    }

    private boolean mayAccept() {
        return replica.isOpen() && replica.state() instanceof ReplicaState.Serving;
    }

    private String notPrimary() {
        String what = replica.name + " is not primary there";
        for (Peer peer : replica.members().all()) {
            Hello hello = peer.hello;
            if (hello != null && hello.primary()) {
                return RefusedText.of(
                        what + ", its primary is " + peer.name,
                        NextStep.marsadm(
                                "join-resource " + replica.name + " --from " + peer.address));
            }
        }
        return RefusedText.of(what + ", and no primary is known there", lookThere());
    }

    private NextStep lookThere() {
        return NextStep.on(replica.settings.engineName(), "status " + replica.name);
    }

    /** What keeps names and number of members within what metadata and messages hold. */
    private @Nullable String refusal(JoinRequest request) {
        if (!fits(request.replicaName(), request.address())) {
            return RefusedText.of(
                    TOO_LONG,
                    NextStep.advice("start this engine with a shorter --name and --advertise"));
        }
        boolean full = replica.current().members().size() >= MAX_MEMBERS;
        return full && replica.members().named(request.replicaName()) == null
                ? RefusedText.of(
                        replica.name
                                + " has "
                                + MAX_MEMBERS
                                + " replicas already, as many as can be",
                        NextStep.on(
                                replica.settings.engineName(),
                                "leave-resource "
                                        + replica.name
                                        + " --member NAME, for one that is not needed"))
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
            peer.keptFrom = start;
        }
        parts.links.read(
                start,
                (link, failure) -> {
                    if (link == null || !mayAccept()) {
                        session.refuse(
                                link == null
                                        ? RefusedText.of(
                                                "the log cannot be read there: " + failure,
                                                lookThere())
                                        : notPrimary());
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
                    replica.ports.shard().schedule(HELLO_NANOS, session::closeUnlessMet);
                    announce.run();
                });
    }

    // Leaving

    /** A member strikes itself off; another one only an operator of the primary does. */
    void leave(Session session, Leave leave) {
        Peer peer = session.peer;
        if (peer == null || peer.id != leave.replicaId()) {
            session.send(new Refused("a member leaves by itself, or is removed at the primary"));
            return;
        }
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
