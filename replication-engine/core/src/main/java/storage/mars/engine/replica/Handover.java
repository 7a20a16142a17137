// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.ControlPayload;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.LogFormat;
import storage.mars.engine.log.RecordType;
import storage.mars.engine.log.ReplicaMetadata.Fork;
import storage.mars.engine.log.ReplicaMetadata.Grant;
import storage.mars.engine.log.ReplicaMetadata.Role;
import storage.mars.engine.replication.PeerMessage.Granted;
import storage.mars.engine.replication.PeerMessage.HandoverRequest;
import storage.mars.engine.replication.PeerMessage.Hello;
import storage.mars.engine.replication.PeerMessage.Refused;

/**
 * The role changes hands: given and taken by plan, laid down, taken by force. Both sides' steps,
 * and what a crash or a silence does to each, are the table of docs/roles.md. Owned by the shard.
 */
final class Handover {

    /** Exports are closed meanwhile. */
    private static final long GIVING_NANOS = 20_000_000_000L;

    /** Who wants the role asks each second; who does not has given up, or is not reached. */
    private static final long SILENCE_NANOS = 5_000_000_000L;

    private final Replica replica;
    private final Writership writership;
    private @Nullable Reply<Done> asking;
    private @Nullable Reply<Done> demoting;
    private @Nullable Session asked;
    private @Nullable Peer waiting;
    private long waitingUntilNanos;
    private long askedNanos;
    private boolean closesExports;
    private boolean endRecorded;
    private boolean givingAway;

    Handover(Replica replica, Writership writership) {
        this.replica = replica;
        this.writership = writership;
    }

    // Taking

    /**
     * Takes the role by plan: nothing is lost, and the one that holds it must agree within {@code
     * patience}.
     */
    void take(boolean closeExports, Duration patience, Reply<Done> reply) {
        if (replica.state() instanceof ReplicaState.Serving) {
            reply.done(Done.DONE);
            return;
        }
        if (replica.state() instanceof ReplicaState.HandingOver && !givingAway) {
            callOff("the role is kept by " + replica.settings.engineName(), reply);
            return;
        }
        Refusal refusal = notPromotable();
        if (refusal != null) {
            reply.refused(refusal);
            return;
        }
        Grant own = replica.openGrant();
        if (own != null) {
            asking = reply;
            writership.startEpoch(own.term(), draft -> {});
            return;
        }
        Session holder = holder();
        if (holder == null || replica.current().switches().shippingPaused()) {
            reply.refused(holder == null ? nobodyToAsk() : paused());
            return;
        }
        asking = reply;
        asked = holder;
        closesExports = closeExports;
        long supersedes = replica.current().highestTerm();
        long deadline = replica.ports.clock().nanoTime() + patience.toNanos();
        replica.transition(new ReplicaState.Promoting(supersedes, deadline));
        replica.ports.shard().schedule(patience.toNanos(), this::expire);
        holder.send(new HandoverRequest(supersedes, closeExports));
    }

    /** What was asked, or its answer, may have been lost: asking again changes nothing. */
    private void askAgain(ReplicaState.Promoting promoting) {
        Session holder = holder();
        if (holder != null) {
            asked = holder;
            holder.send(new HandoverRequest(promoting.supersedes(), closesExports));
        }
    }

    private void expire() {
        long now = replica.ports.clock().nanoTime();
        if (replica.state() instanceof ReplicaState.Promoting promoting
                && now - promoting.deadlineNanos() >= 0) {
            giveUp(expired());
        }
    }

    private Refusal expired() {
        Session holder = holder();
        Peer peer = holder == null ? null : holder.peer;
        Hello hello = peer == null ? null : peer.hello;
        Refusal nobody = nobodyToAsk();
        if (hello == null) {
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
                "marsadm status " + replica.name);
    }

    private Refusal expired(String reason, String next) {
        return Refusal.unavailable(
                "Expired", replica.name + " has not been handed over in time", reason, next);
    }

    private Refusal paused() {
        return Refusal.precondition(
                "ShippingPaused",
                replica.name + " cannot be handed over",
                "shipping to this replica is paused, so it would not get the end of the log",
                "marsadm resume-shipping " + replica.name);
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
                "MemberUnreachable", replica.name + " cannot be handed over", who, forceCommand());
    }

    String forceCommand() {
        return "marsadm primary "
                + replica.name
                + " --force --supersedes-term "
                + replica.termInForce();
    }

    /** Takes the role by force; what the other side has beyond this log's end becomes a branch. */
    void force(@Nullable Long supersedes, @Nullable Long maxLossBytes, Reply<Done> reply) {
        long highest = replica.termInForce();
        boolean serving = replica.state() instanceof ReplicaState.Serving;
        if (serving && supersedes != null && highest == supersedes + 1) {
            reply.done(Done.DONE);
            return;
        }
        boolean afterLoss = replica.state() instanceof ReplicaState.DurableLoss;
        Refusal refusal = afterLoss ? null : notPromotable();
        if (refusal == null && serving && writership.splitBrainWith() == null) {
            refusal =
                    Refusal.precondition(
                            "IsPrimary",
                            replica.name + " is not promoted",
                            "it is primary here in term " + highest,
                            "");
        }
        if (refusal == null && (supersedes == null || supersedes != highest)) {
            refusal =
                    Refusal.precondition(
                            supersedes == null ? "TermRequired" : "StaleTerm",
                            replica.name + " is not promoted by force",
                            (supersedes == null
                                            ? "no term was named"
                                            : "term " + supersedes + " is not the newest")
                                    + ": term "
                                    + highest
                                    + " is in force; would be lost: "
                                    + loss(),
                            forceCommand());
        }
        if (refusal == null && maxLossBytes != null && !afterLoss) {
            refusal = lossRefusal(maxLossBytes);
        }
        if (refusal != null) {
            reply.refused(refusal);
            return;
        }
        asking = reply;
        replica.parts().exports.close(replica.name + " is promoted to term " + (highest + 1));
        writership.startEpoch(
                highest + 1, draft -> draft.incarnation = replica.ports.entropy().nextLong());
    }

    private String loss() {
        return replica.state() instanceof ReplicaState.DurableLoss lost
                ? lost.reason()
                : LossEstimate.of(replica).describe();
    }

    private @Nullable Refusal lossRefusal(long maxLossBytes) {
        LossEstimate loss = LossEstimate.of(replica);
        if (loss.exact() && loss.bytes() <= maxLossBytes) {
            return null;
        }
        return Refusal.precondition(
                "LossTooLarge",
                replica.name + " is not promoted by force",
                "would be lost: " + loss.describe() + ", allowed are " + maxLossBytes,
                forceCommand());
    }

    private @Nullable Refusal notPromotable() {
        String what = replica.name + " does not become primary here";
        if (!replica.isOpen()) {
            return Refusal.precondition(
                    replica.state().name(),
                    what,
                    "it is " + replica.state().name() + ": " + replica.state().reason(),
                    "marsadm status " + replica.name);
        }
        Fork fork = replica.current().fork();
        if (fork != null) {
            return Refusal.precondition(
                    "Forked",
                    what,
                    "its history forks from the primary's at " + fork.position(),
                    "marsadm leave-resource " + replica.name);
        }
        if (replica.current().sync().inconsistent()) {
            return Refusal.precondition(
                    "Inconsistent",
                    what,
                    "its images are not yet a whole copy",
                    "marsadm wait " + replica.name + " --for consistent");
        }
        boolean settled =
                replica.state() instanceof ReplicaState.Secondary
                        || replica.state() instanceof ReplicaState.Serving;
        if (!settled) {
            return Refusal.precondition(
                    "Busy",
                    what,
                    "it is " + replica.state().name() + " " + replica.state().reason(),
                    "marsadm status " + replica.name);
        }
        return null;
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
                        && replica.current().fork() == null
                        && !replica.current().sync().inconsistent();
        if (waiting && whole && granted.term() > replica.current().highestTerm()) {
            writership.startEpoch(granted.term(), draft -> {});
        }
    }

    /** True when it was this that has been refused. */
    boolean refusedBy(Session session, String reason) {
        boolean mine = session == asked && replica.state() instanceof ReplicaState.Promoting;
        if (mine) {
            giveUp(
                    Refusal.precondition(
                            "HandoverRefused", replica.name + " is not handed over", reason, ""));
        }
        return mine;
    }

    /** It stays, or is again, a secondary. */
    void giveUp(Refusal refusal) {
        Reply<Done> reply = asking;
        asking = null;
        asked = null;
        replica.transition(new ReplicaState.Secondary());
        replica.talk().judgeAll();
        if (reply != null) {
            reply.refused(refusal);
        }
    }

    /** Nothing will come of what was asked for here: this replica starts over, or has failed. */
    void abandon(String reason) {
        Reply<Done> taking = asking;
        Reply<Done> giving = demoting;
        asking = null;
        asked = null;
        demoting = null;
        waiting = null;
        Refusal refusal =
                Refusal.precondition(
                        "Overtaken",
                        "the role of " + replica.name + " does not change",
                        reason,
                        "marsadm status " + replica.name);
        if (taking != null) {
            taking.refused(refusal);
        }
        if (giving != null) {
            giving.refused(refusal);
        }
    }

    /** This replica is the primary now. */
    void serving() {
        Reply<Done> reply = asking;
        asking = null;
        asked = null;
        if (reply != null) {
            reply.done(Done.DONE);
        }
    }

    // Giving

    void asked(Session session, Peer target, HandoverRequest request) {
        if (replica.state() instanceof ReplicaState.HandingOver giving
                && giving.target() == target.id) {
            askedNanos = replica.ports.clock().nanoTime();
            progress();
            return;
        }
        Grant given = replica.current().grant();
        if (!replica.isPrimary() && given != null && given.toReplica() == target.id) {
            session.send(new Granted(given.term(), replica.parts().tail.durable()));
            return;
        }
        String refusal = refusal(session, target, request);
        if (refusal != null) {
            session.send(new Refused(refusal));
            return;
        }
        if (replica.openGrant() != null) {
            waiting = target;
            waitingUntilNanos = replica.ports.clock().nanoTime() + SILENCE_NANOS;
            grantOnceWhole();
            return;
        }
        replica.parts().exports.close("the role of " + replica.name + " goes to " + target.name);
        give(target.id, target.name);
    }

    /** Whoever asks for a role that was laid down has it as soon as he holds all of the log. */
    private void grantOnceWhole() {
        Peer target = waiting;
        if (target == null || !replica.isOpen()) {
            return;
        }
        Grant grant = replica.openGrant();
        boolean late = replica.ports.clock().nanoTime() - waitingUntilNanos >= 0;
        if (late || grant == null || !(replica.state() instanceof ReplicaState.Secondary)) {
            waiting = null;
        } else if (target.received >= replica.parts().tail.durable()) {
            waiting = null;
            grantTo(target, grant.term());
        }
    }

    private @Nullable String refusal(Session session, Peer target, HandoverRequest request) {
        long term = replica.current().highestTerm();
        boolean open = replica.openGrant() != null;
        boolean settled =
                open
                        ? replica.state() instanceof ReplicaState.Secondary
                        : replica.state() instanceof ReplicaState.Serving;
        if (!settled) {
            return replica.name
                    + " is "
                    + replica.state().name()
                    + " here: "
                    + replica.state().reason();
        }
        if (replica.current().switches().shippingPaused()) {
            return "shipping is paused here; marsadm resume-shipping " + replica.name;
        }
        Hello hello = target.hello;
        if (hello == null || !hello.consistent()) {
            return target.name + " is not consistent";
        }
        if (request.supersedes() != term) {
            return "term " + term + " is in force, not " + request.supersedes();
        }
        long end = replica.parts().tail.durable();
        if (target.received < end - LogFormat.MAX_FRAME * 64L) {
            return target.name
                    + " is "
                    + (end - target.received)
                    + " bytes behind; marsadm wait "
                    + replica.name
                    + " --for caught-up";
        }
        EpochHistory history = replica.current().history();
        if (history.commonEnd(end, hello.history(), target.received) != target.received
                || (!open && session.shipper == null)) {
            return target.name + " does not pull the log from here now";
        }
        List<String> writers = replica.parts().exports.writers();
        if (!writers.isEmpty() && !request.closeExports()) {
            return "its export "
                    + String.join(", ", writers)
                    + " is open; close it there, or repeat with --close-exports";
        }
        return null;
    }

    private void grantTo(Peer target, long term) {
        replica.metadata()
                .update(
                        draft -> draft.grant = new Grant(target.id, term),
                        failure -> {
                            if (failure != null) {
                                replica.metadataFailed(failure);
                            } else {
                                replica.talk().judgeAll();
                            }
                        });
    }

    /** Lays the role down, for whoever holds all of the log and asks. */
    void demote(boolean closeExports, @Nullable Long expectedTerm, Reply<Done> reply) {
        if (!replica.isPrimary() && replica.isOpen()) {
            reply.done(Done.DONE);
            return;
        }
        String what = replica.name + " stays primary";
        if (!(replica.state() instanceof ReplicaState.Serving)) {
            reply.refused(
                    Refusal.precondition("Busy", what, "it is " + replica.state().name(), ""));
            return;
        }
        long term = replica.current().highestTerm();
        if (expectedTerm != null && expectedTerm != term) {
            reply.refused(
                    Refusal.precondition("StaleTerm", what, "term " + term + " is in force", ""));
            return;
        }
        List<String> writers = replica.parts().exports.writers();
        if (!writers.isEmpty() && !closeExports) {
            reply.refused(
                    Refusal.precondition(
                            "ExportsOpen",
                            what,
                            "its export " + String.join(", ", writers) + " is open",
                            "marsadm secondary " + replica.name + " --close-exports"));
            return;
        }
        demoting = reply;
        replica.parts().exports.close(replica.name + " is laid down");
        give(Grant.ANYBODY, "whoever asks for it");
    }

    private void give(long target, String name) {
        endRecorded = false;
        givingAway = false;
        askedNanos = replica.ports.clock().nanoTime();
        long deadline = askedNanos + GIVING_NANOS;
        replica.transition(new ReplicaState.HandingOver(target, name, Long.MAX_VALUE, deadline));
        retry();
    }

    /** Writes the END record as soon as there is room for it. */
    void retry() {
        if (endRecorded
                || !replica.isOpen()
                || !(replica.state() instanceof ReplicaState.HandingOver giving)) {
            return;
        }
        ReplicaParts parts = replica.parts();
        if (!parts.builder.reserve(LogFormat.BLOCK, true)) {
            return;
        }
        ByteBuffer payload =
                ControlPayload.end(giving.target(), replica.current().highestTerm() + 1);
        parts.builder.append(RecordType.END, 0, 0, payload, 0, LogFormat.BLOCK);
        parts.builder.seal();
        endRecorded = true;
        replica.transition(
                new ReplicaState.HandingOver(
                        giving.target(),
                        giving.targetName(),
                        parts.tail.end(),
                        giving.deadlineNanos()));
        parts.writer.wake();
    }

    /** Something is durable, here or at a member. */
    void progress() {
        grantOnceWhole();
        if (givingAway
                || !replica.isOpen()
                || !(replica.state() instanceof ReplicaState.HandingOver giving)) {
            return;
        }
        Peer target = replica.members().get(giving.target());
        boolean held =
                giving.target() == Grant.ANYBODY
                        || (target != null && target.received >= giving.end());
        if (replica.parts().tail.durable() >= giving.end() && held) {
            givingAway = true;
            giveAway(giving);
        }
    }

    /**
     * The target holds END durably: the role is durably gone from here before the target hears of
     * it.
     */
    private void giveAway(ReplicaState.HandingOver giving) {
        long term = replica.current().highestTerm() + 1;
        Reply<Done> reply = demoting;
        demoting = null;
        replica.reopen(
                "the role goes to " + giving.targetName(),
                draft -> {
                    draft.role = Role.SECONDARY;
                    draft.history = draft.history.endedAt(giving.end());
                    draft.durableKnown = Math.max(draft.durableKnown, giving.end());
                    draft.grant = new Grant(giving.target(), term);
                });
        if (reply != null) {
            replica.whenOpened(() -> reply.done(Done.DONE));
        }
    }

    void tick() {
        long now = replica.ports.clock().nanoTime();
        switch (replica.state()) {
            case ReplicaState.Promoting promoting -> promoting(promoting, now);
            case ReplicaState.HandingOver giving -> {
                progress();
                boolean silent =
                        giving.target() != Grant.ANYBODY && now - askedNanos >= SILENCE_NANOS;
                if (!givingAway && (silent || now - giving.deadlineNanos() >= 0)) {
                    callOff("time is up", null);
                }
            }
            default -> {}
        }
    }

    private void promoting(ReplicaState.Promoting promoting, long now) {
        if (replica.current().highestTerm() > promoting.supersedes()) {
            giveUp(
                    Refusal.precondition(
                            "StaleTerm",
                            replica.name + " is not handed over",
                            "term " + replica.current().highestTerm() + " is in force meanwhile",
                            "marsadm status " + replica.name));
        } else if (now - promoting.deadlineNanos() >= 0) {
            giveUp(expired());
        } else {
            askAgain(promoting);
        }
    }

    /** Nothing has been granted yet: a new epoch behind END takes the role back. */
    private void callOff(String reason, @Nullable Reply<Done> reply) {
        Reply<Done> laidDown = demoting;
        demoting = null;
        asking = reply;
        if (laidDown != null) {
            laidDown.refused(
                    Refusal.unavailable("CalledOff", replica.name + " stays primary", reason, ""));
        }
        writership.continueTerm();
    }
}
