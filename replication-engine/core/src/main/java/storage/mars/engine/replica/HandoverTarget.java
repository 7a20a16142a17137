// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.time.Duration;
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

    /**
     * Takes the role, which the one that holds it must give within {@code patience}, or takes it
     * back while it is only being given away.
     */
    void take(boolean closeExports, Duration patience, Reply<Done> reply) {
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
        Grant own = Terms.openGrant(replica.current());
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
        long deadline = replica.ports.clock().nanoTime() + patience.toNanos();
        ReplicaState.Promoting promoting =
                new ReplicaState.Promoting(replica.current().highestTerm(), deadline);
        replica.transition(promoting);
        replica.ports.shard().schedule(patience.toNanos(), this::expire);
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
                PromotionRules.askForce(replica));
    }

    private Refusal paused() {
        return Refusal.precondition(
                "ShippingPaused",
                replica.name + " cannot be handed over",
                "shipping to this replica is paused, so it would not get the end of the log",
                NextStep.marsadm("resume-shipping " + replica.name));
    }

    private void ask(Session holder, ReplicaState.Promoting promoting) {
        asked = holder;
        holder.send(new HandoverRequest(promoting.supersedes(), closesExports));
    }

    private void expire() {
        if (replica.state() instanceof ReplicaState.Promoting promoting && isOver(promoting)) {
            writership.giveUp(expired());
        }
    }

    private boolean isOver(ReplicaState.Promoting promoting) {
        return replica.ports.clock().nanoTime() - promoting.deadlineNanos() >= 0;
    }

    private Refusal expired() {
        Session holder = holder();
        Peer peer = holder == null ? null : holder.peer;
        Hello hello = peer == null ? null : peer.hello;
        if (hello == null) {
            Refusal nobody = nobodyToAsk();
            return expired(nobody.reason(), nobody.next());
        }
        long missing = hello.durable() - replica.parts().tail.durable();
        return expired(
                hello.replicaName()
                        + " is "
                        + hello.state()
                        + " there and has not given the role"
                        + (missing > 0
                                ? "; the last " + missing + " bytes of its log are not here"
                                : ""),
                NextStep.status(replica.name));
    }

    private Refusal expired(String reason, NextStep next) {
        return Refusal.unavailable(
                "Expired", replica.name + " has not been handed over in time", reason, next);
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
                            NextStep.status(replica.name)));
        } else if (isOver(promoting)) {
            writership.giveUp(expired());
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

    void refused(Session by, String text) {
        RefusedText refused = RefusedText.parse(text);
        Peer peer = by.peer;
        String who = peer == null ? "its primary" : "its primary " + peer.name;
        writership.giveUp(
                Refusal.precondition(
                        "HandoverRefused",
                        replica.name + " is not handed over",
                        who + " refuses: " + refused.reason(),
                        refused.nextOr(NextStep.status(replica.name))));
    }
}
