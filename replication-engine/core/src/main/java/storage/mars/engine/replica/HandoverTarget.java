// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.ReplicaMetadata.Grant;
import storage.mars.engine.replication.PeerMessage.Granted;
import storage.mars.engine.replication.PeerMessage.HandoverRequest;
import storage.mars.engine.replication.PeerMessage.Hello;

/**
 * Taking the role by plan: asks the member that holds it, again each second while {@code
 * Promoting}, and begins an epoch only when that has durably given it. Nothing is lost. The steps
 * are the target's of docs/roles.md. Owned by the shard.
 */
final class HandoverTarget {

    private static final long PATIENCE_NANOS = 30_000_000_000L;

    private final Replica replica;
    private final Writership writership;
    private final HandoverSource source;
    private @Nullable Session asked;
    private boolean closesExports;

    HandoverTarget(Replica replica, Writership writership, HandoverSource source) {
        this.replica = replica;
        this.writership = writership;
        this.source = source;
    }

    /** Takes the role, or takes it back while it is only being given away. */
    void take(boolean closeExports, Reply<Done> reply) {
        if (replica.state() instanceof ReplicaState.Serving) {
            reply.done(Done.DONE);
            return;
        }
        if (replica.state() instanceof ReplicaState.HandingOver) {
            writership.awaitServing(reply);
            source.callOff("the role is kept by " + replica.settings.engineName());
            return;
        }
        Refusal refusal = PromotionRules.refusal(replica);
        if (refusal != null) {
            reply.refused(refusal);
            return;
        }
        Grant own = replica.openGrant();
        if (own != null) {
            writership.awaitServing(reply);
            writership.startEpoch(own.term(), draft -> {});
            return;
        }
        Session holder = holder();
        if (holder == null || replica.current().switches().shippingPaused()) {
            reply.refused(holder == null ? nobodyToAsk() : paused());
            return;
        }
        writership.awaitServing(reply);
        closesExports = closeExports;
        long deadline = replica.ports.clock().nanoTime() + PATIENCE_NANOS;
        ReplicaState.Promoting promoting =
                new ReplicaState.Promoting(replica.current().highestTerm(), deadline);
        replica.transition(promoting);
        ask(holder, promoting);
    }

    private @Nullable Session holder() {
        Session best = null;
        long term = -1;
        for (Session session : replica.members().sessions()) {
            Peer peer = session.peer;
            Hello hello = peer == null ? null : peer.hello;
            if (hello != null
                    && RoleRules.holdsRole(hello)
                    && hello.history().lastId().term() > term) {
                best = session;
                term = hello.history().lastId().term();
            }
        }
        return best;
    }

    private Refusal nobodyToAsk() {
        Peer primary = LossEstimate.primary(replica);
        String who =
                primary == null
                        ? "no primary of " + replica.name + " is known here"
                        : "its primary "
                                + primary.name
                                + " at "
                                + primary.address
                                + " is not reached";
        return Refusal.unavailable(
                "MemberUnreachable",
                replica.name + " cannot be handed over",
                who,
                PromotionRules.forceCommand(replica));
    }

    private Refusal paused() {
        return Refusal.precondition(
                "ShippingPaused",
                replica.name + " cannot be handed over",
                "shipping to this replica is paused, so it would not get the end of the log",
                "marsadm resume-shipping " + replica.name);
    }

    private void ask(Session holder, ReplicaState.Promoting promoting) {
        asked = holder;
        holder.send(new HandoverRequest(promoting.supersedes(), closesExports));
    }

    void tick() {
        if (replica.state() instanceof ReplicaState.Promoting promoting) {
            goOn(promoting);
        }
    }

    private void goOn(ReplicaState.Promoting promoting) {
        if (replica.current().highestTerm() > promoting.supersedes()) {
            writership.giveUp(
                    Refusal.precondition(
                            "StaleTerm",
                            replica.name + " is not handed over",
                            "term " + replica.current().highestTerm() + " is in force meanwhile",
                            "marsadm status " + replica.name));
        } else if (replica.ports.clock().nanoTime() - promoting.deadlineNanos() >= 0) {
            writership.giveUp(
                    Refusal.unavailable(
                            "Expired",
                            replica.name + " is not handed over",
                            "the primary has not given it in time",
                            PromotionRules.forceCommand(replica)));
        } else {
            // What was asked, or its answer, may have been lost: asking again changes nothing.
            Session holder = holder();
            if (holder != null) {
                ask(holder, promoting);
            }
        }
    }

    /** The role is ours: the other side has recorded so. */
    void granted(Granted granted) {
        if (!replica.isOpen() || replica.isPrimary()) {
            return;
        }
        boolean waiting =
                replica.state() instanceof ReplicaState.Promoting
                        || replica.state() instanceof ReplicaState.Secondary;
        boolean whole =
                replica.parts().tail.durable() == granted.end()
                        && replica.parts().tail.end() == granted.end()
                        && replica.current().fork() == null
                        && !replica.following().isDeciding()
                        && !replica.current().sync().inconsistent();
        if (waiting && whole && granted.term() > replica.current().highestTerm()) {
            writership.startEpoch(granted.term(), draft -> {});
        }
    }

    /** Whether the role has been asked for over that link, without an answer yet. */
    boolean hasAsked(Session session) {
        return session == asked && replica.state() instanceof ReplicaState.Promoting;
    }

    void refused(String reason) {
        writership.giveUp(
                Refusal.precondition(
                        "HandoverRefused", replica.name + " is not handed over", reason, ""));
    }
}
