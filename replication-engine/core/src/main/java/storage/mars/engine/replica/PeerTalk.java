// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.log.ReplicaMetadata.Grant;
import storage.mars.engine.log.ReplicaMetadata.Member;
import storage.mars.engine.replica.RoleRules.Own;
import storage.mars.engine.replica.RoleRules.Verdict;
import storage.mars.engine.replication.PeerMessage;
import storage.mars.engine.replication.PeerMessage.BlockData;
import storage.mars.engine.replication.PeerMessage.BlocksUnavailable;
import storage.mars.engine.replication.PeerMessage.Credit;
import storage.mars.engine.replication.PeerMessage.Granted;
import storage.mars.engine.replication.PeerMessage.HandoverRequest;
import storage.mars.engine.replication.PeerMessage.Hello;
import storage.mars.engine.replication.PeerMessage.JoinAccepted;
import storage.mars.engine.replication.PeerMessage.JoinRequest;
import storage.mars.engine.replication.PeerMessage.Leave;
import storage.mars.engine.replication.PeerMessage.LeaveAccepted;
import storage.mars.engine.replication.PeerMessage.LogData;
import storage.mars.engine.replication.PeerMessage.Position;
import storage.mars.engine.replication.PeerMessage.Pull;
import storage.mars.engine.replication.PeerMessage.ReadBlocks;
import storage.mars.engine.replication.PeerMessage.Refused;
import storage.mars.engine.replication.PeerMessage.SyncNeeded;
import storage.mars.engine.replication.Shipper;
import storage.mars.engine.replication.SyncSource;

/**
 * What a replica says to the other members and what it makes of what they say. Every conversation
 * begins with a hello of both sides; until then nothing else is answered but a request to join.
 * Owned by the shard.
 */
final class PeerTalk implements Session.Conversation {

    private static final Logger LOGGER = LoggerFactory.getLogger(PeerTalk.class);

    private static final int MAX_MEMBERS = 16;
    private static final int MAX_NAME = 63;
    private static final int MAX_ADDRESS = 255;

    private final Replica replica;

    PeerTalk(Replica replica) {
        this.replica = replica;
    }

    /** The first word on a link that this side has dialled. */
    void greet(Session session) {
        session.send(replica.hello(true));
    }

    void helloAll() {
        for (Session session : replica.members().sessions()) {
            session.send(replica.hello(session.dialled));
        }
    }

    /**
     * Looks at all members again, after something has changed on this side; also at those that have
     * gone since they said hello.
     */
    void judgeAll() {
        for (Peer peer : List.copyOf(replica.members().all())) {
            Hello hello = peer.hello;
            if (hello != null && replica.isOpen()) {
                judge(peer.session, hello);
            }
        }
    }

    @Override
    public void heard(Session session, PeerMessage message) {
        session.heardNanos = replica.ports.clock().nanoTime();
        switch (message) {
            case Hello hello -> hello(session, hello);
            case JoinRequest request -> join(session, request);
            case Refused refused -> refused(session, refused);
            default -> {
                Peer peer = session.peer;
                if (peer != null && peer.session == session && replica.isOpen()) {
                    fromMember(session, peer, message);
                }
            }
        }
    }

    private void fromMember(Session session, Peer peer, PeerMessage message) {
        Following following = replica.following();
        switch (message) {
            case Pull pull -> pull(session, peer, pull);
            case Credit credit -> credit(session, credit);
            case LogData data -> following.received(session, data);
            case Position position -> position(session, peer, position);
            case ReadBlocks question -> readBlocks(session, question);
            case BlockData data -> following.received(data);
            case BlocksUnavailable unavailable -> following.unavailable(unavailable.reason());
            case SyncNeeded needed -> following.syncNeeded(needed);
            case Leave leave -> leave(session, leave);
            case HandoverRequest request ->
                    replica.writership().handoverAsked(session, peer, request);
            case Granted granted -> replica.writership().granted(granted);
            case LeaveAccepted accepted -> following.left();
            case Hello h -> {}
            case JoinRequest j -> {}
            case JoinAccepted j -> {}
            case Refused r -> {}
        }
    }

    // Meeting

    private void hello(Session session, Hello hello) {
        ReplicaMetadata current = replica.current();
        if (hello.resourceId() != current.identity().resourceId()) {
            session.send(
                    new Refused(
                            "resource "
                                    + replica.name
                                    + " is another one here: same name, other id"));
            session.close();
            return;
        }
        adoptMembers(hello);
        Peer known = replica.members().get(hello.replicaId());
        if (known == null) {
            session.send(
                    new Refused(
                            hello.replicaName()
                                    + " is not a member of "
                                    + replica.name
                                    + ": it has left or was removed; marsadm leave-resource there, then join again"));
            session.close();
            return;
        }
        boolean first = known.session != session;
        if (!replica.members().adopt(session, hello)) {
            return;
        }
        known.heard(hello, replica.ports.clock().nanoTime(), replica.ports.clock().wallMicros());
        if (first) {
            session.send(replica.hello(session.dialled));
        }
        learnTerm(hello);
        if (replica.isOpen()) {
            judge(session, hello);
        }
        replica.changed();
    }

    /** A secondary has the list of members from the one that holds the role. */
    private void adoptMembers(Hello hello) {
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

    private void learnTerm(Hello hello) {
        if (!replica.isPrimary() && hello.highestTerm() > replica.current().highestTerm()) {
            replica.metadata()
                    .update(
                            draft ->
                                    draft.highestTerm =
                                            Math.max(draft.highestTerm, hello.highestTerm()),
                            failure -> {
                                if (failure != null) {
                                    replica.metadataFailed(failure);
                                } else {
                                    // It may have become primary of a lower term meanwhile.
                                    judgeAll();
                                }
                            });
        }
    }

    Own own() {
        ReplicaMetadata current = replica.current();
        return new Own(
                replica.isPrimary(),
                replica.replicaId(),
                current.history(),
                replica.parts().tail.durable(),
                current.highestTerm());
    }

    private void judge(@Nullable Session session, Hello hello) {
        if (session != null) {
            resendGrant(session, hello);
        }
        Verdict verdict = RoleRules.judge(own(), hello);
        switch (verdict) {
            case Verdict.Nothing nothing -> {}
            case Verdict.Outdated outdated -> {}
            case Verdict.Fence fence ->
                    replica.writership().fence(fence.term(), hello.replicaName());
            case Verdict.SplitBrain split ->
                    replica.writership().splitBrain(split.forkPoint(), hello);
            case Verdict.DurableLoss loss -> replica.writership().durableLoss(loss, hello);
            case Verdict.Ahead ahead -> replica.following().ahead(ahead, hello);
            case Verdict.Follow follow -> {
                if (session != null) {
                    replica.following().follow(session, hello);
                }
            }
            case Verdict.Forked forked -> replica.following().forked(forked, hello);
            case Verdict.Unrelated unrelated -> replica.following().unrelated(hello);
        }
        replica.writership().met();
    }

    /** A grant that was recorded here may not have reached its holder. */
    private void resendGrant(Session session, Hello hello) {
        Grant grant = replica.current().grant();
        boolean pending =
                grant != null
                        && !replica.isPrimary()
                        && grant.toReplica() == hello.replicaId()
                        && !hello.primary()
                        && hello.history().lastId().term() < grant.term();
        if (pending && grant != null) {
            session.send(new Granted(grant.term(), replica.parts().tail.durable()));
        }
    }

    // Serving others

    private void pull(Session session, Peer peer, Pull pull) {
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
        attach(peer);
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
                            attach(peer);
                        }
                        session.send(
                                new SyncNeeded(start, link, replica.current().history(), reason));
                    }
                });
    }

    private void attach(Peer peer) {
        if (!peer.attached) {
            peer.attached = true;
            changeMembers(members ->
                    members.stream()
                            .map(m ->
                                    m.id() == peer.id
                                            ? new Member(m.id(), m.name(), m.address(), true)
                                            : m)
                            .toList());
        }
    }

    private void changeMembers(UnaryOperator<List<Member>> change) {
        replica.metadata()
                .update(
                        draft -> draft.members = change.apply(draft.members),
                        failure -> {
                            if (failure != null) {
                                replica.metadataFailed(failure);
                            } else {
                                replica.members().set(replica.current().members());
                                helloAll();
                                if (replica.isOpen()) {
                                    replica.parts().checkpointer.releaseSegments();
                                }
                            }
                        });
    }

    /** Nothing is kept any more for the member that is farthest behind; it comes back by a sync. */
    void detach(Peer peer) {
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
        changeMembers(members ->
                members.stream()
                        .map(m ->
                                m.id() == peer.id
                                        ? new Member(m.id(), m.name(), m.address(), false)
                                        : m)
                        .toList());
    }

    private static void credit(Session session, Credit credit) {
        Shipper shipper = session.shipper;
        if (shipper != null) {
            shipper.credit(credit.until());
        }
    }

    private void position(Session session, Peer peer, Position position) {
        peer.received = position.durable();
        peer.applied = position.applied();
        peer.contactNanos = replica.ports.clock().nanoTime();
        peer.contactWallMicros = replica.ports.clock().wallMicros();
        replica.writership().progress();
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

    private void readBlocks(Session session, ReadBlocks question) {
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
                            parts.reader, parts.images, parts.log, session.codec(), session.link);
            session.source = source;
        }
        source.received(question);
    }

    // Joining and leaving

    private void join(Session session, JoinRequest request) {
        if (!replica.isOpen() || !(replica.state() instanceof ReplicaState.Serving)) {
            session.send(new Refused(replica.name + " is not primary here" + whereIsPrimary()));
            return;
        }
        Peer same = byName(request.replicaName());
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
        return full && byName(request.replicaName()) == null
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
                    helloAll();
                });
    }

    private @Nullable Peer byName(String name) {
        for (Peer peer : replica.members().all()) {
            if (peer.name.equals(name)) {
                return peer;
            }
        }
        return null;
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

    private void leave(Session session, Leave leave) {
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
                            helloAll();
                            replica.changed();
                        });
    }

    // Ends

    private void refused(Session session, Refused refused) {
        LOGGER.atWarn()
                .addKeyValue("resource", replica.name)
                .addKeyValue("peer", session.link.remote())
                .log("a member refused: {}", refused.reason());
        if (!replica.writership().handover().refusedBy(session, refused.reason())) {
            replica.following().refusedBy(session, refused.reason());
        }
    }

    @Override
    public void writable(Session session) {
        Shipper shipper = session.shipper;
        if (shipper != null) {
            shipper.advance();
        }
    }

    @Override
    public void ended(Session session, String reason) {
        replica.members().ended(session);
        replica.following().linkEnded(session);
        replica.changed();
    }
}
