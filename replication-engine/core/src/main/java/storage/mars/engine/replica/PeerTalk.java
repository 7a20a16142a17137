// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.log.ReplicaMetadata;
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

/**
 * What a replica says to the other members, and to whom what they say is passed on. Every
 * conversation begins with a hello of both sides, from which {@link RoleRules} draws what follows;
 * until then nothing else is answered but a request to join. Owned by the shard.
 */
final class PeerTalk implements Session.Conversation {

    private static final Logger LOGGER = LoggerFactory.getLogger(PeerTalk.class);

    private final Replica replica;
    private final MemberList memberList;
    private final Shipping shipping;

    PeerTalk(Replica replica) {
        this.replica = replica;
        this.memberList = new MemberList(replica, this::helloAll);
        this.shipping = new Shipping(replica, memberList);
    }

    MemberList memberList() {
        return memberList;
    }

    /** The first word on a link that this side has dialled. */
    void greet(Session session) {
        session.send(OwnHello.of(replica, session));
    }

    void helloAll() {
        for (Session session : replica.members().sessions()) {
            session.send(OwnHello.of(replica, session));
        }
    }

    /**
     * Looks at all members again, after something has changed on this side; also at those that have
     * gone since they said hello.
     */
    void judgeAll() {
        lookAtAll();
        replica.writership().met();
    }

    /** The same, without going on to what waits for all members to have been met. */
    void lookAtAll() {
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
            case JoinRequest request -> memberList.join(session, request);
            case Refused refused -> refused(session, refused);
            default -> {
                Peer peer = session.peer;
                if (peer == null) {
                    session.close();
                } else if (peer.session == session && replica.isOpen()) {
                    fromMember(session, peer, message);
                }
            }
        }
    }

    private void fromMember(Session session, Peer peer, PeerMessage message) {
        Following following = replica.following();
        switch (message) {
            case Pull pull -> shipping.pull(session, peer, pull);
            case Credit credit -> Shipping.credit(session, credit);
            case LogData data -> following.received(session, data);
            case Position position -> shipping.position(session, peer, position);
            case ReadBlocks question -> shipping.readBlocks(session, question);
            case BlockData data -> following.received(session, data);
            case BlocksUnavailable unavailable -> following.unavailable(session, unavailable);
            case SyncNeeded needed -> following.needed(session, needed);
            case Leave leave -> memberList.leave(session, leave);
            case HandoverRequest request ->
                    replica.writership().handoverSource().asked(session, peer, request);
            case Granted granted -> replica.writership().handoverTarget().granted(granted);
            case LeaveAccepted accepted -> memberList.left();
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
            session.refuse(
                    "resource " + replica.name + " is another one here: same name, other id");
            return;
        }
        String refusal = memberList.refusal(hello);
        if (refusal == null) {
            memberList.adopt(hello);
        }
        Peer known = replica.members().get(hello.replicaId());
        if (refusal != null || known == null) {
            session.refuse(refusal == null ? memberList.noMember(hello) : refusal);
            return;
        }
        boolean first = known.session != session;
        if (!replica.members().adopt(session, hello)) {
            return;
        }
        known.heard(hello, replica.ports.clock().nanoTime(), replica.ports.clock().wallMicros());
        if (first) {
            session.send(OwnHello.of(replica, session));
        }
        learnTerm(hello);
        if (replica.isOpen()) {
            judge(session, hello);
            replica.writership().met();
        }
        replica.changed();
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

    /** What this replica, which is open, knows of itself. */
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
            replica.writership().handoverSource().resendGrant(session, hello);
        }
        Verdict verdict = RoleRules.judge(own(), hello);
        switch (verdict) {
            case Verdict.Nothing nothing -> {
                if (replica.state() instanceof ReplicaState.Secondary
                        && !RoleRules.holdsRole(hello)) {
                    replica.following().outdated(session);
                }
            }
            case Verdict.Outdated outdated -> replica.following().outdated(session);
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
    }

    // Ends

    private void refused(Session session, Refused refused) {
        LOGGER.atWarn()
                .addKeyValue("resource", replica.name)
                .addKeyValue("peer", session.link.remote())
                .log("a member refused: {}", refused.reason());
        boolean asked = replica.writership().handoverTarget().hasAsked(session);
        replica.following().refusedBy(session, refused.reason(), asked);
        if (asked) {
            replica.writership().handoverTarget().refused(session, refused.reason());
        }
    }

    @Override
    public void writable(Session session) {
        Shipping.writable(session);
    }

    @Override
    public void ended(Session session, String reason) {
        replica.members().ended(session);
        replica.following().linkEnded(session);
        replica.changed();
    }
}
