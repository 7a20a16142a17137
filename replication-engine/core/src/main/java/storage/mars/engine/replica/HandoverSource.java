// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.ControlPayload;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.LogFormat;
import storage.mars.engine.log.RecordType;
import storage.mars.engine.log.ReplicaMetadata.Grant;
import storage.mars.engine.log.ReplicaMetadata.Role;
import storage.mars.engine.replication.PeerMessage.Granted;
import storage.mars.engine.replication.PeerMessage.HandoverRequest;
import storage.mars.engine.replication.PeerMessage.Hello;
import storage.mars.engine.replication.PeerMessage.Refused;

/**
 * Giving the role by plan, to the member that asks or, laid down, to whoever will: while {@code
 * HandingOver}, ends the log, and lets the role durably go when the target holds the end; then
 * grants it, as often as it takes. The steps are the source's of docs/roles.md. Owned by the shard.
 */
final class HandoverSource {

    /** Exports are closed meanwhile. */
    private static final long GIVING_NANOS = 20_000_000_000L;

    /** Who wants the role asks each second; who does not has given up, or is not reached. */
    private static final long SILENCE_NANOS = 5_000_000_000L;

    private final Replica replica;
    private final Writership writership;
    private @Nullable Reply<Done> demoting;
    private @Nullable Waiting waiting;
    private long askedNanos;

    /** Who has asked for a role that was laid down, and does not hold all of the log yet. */
    private record Waiting(Peer target, long untilNanos) {}

    HandoverSource(Replica replica, Writership writership) {
        this.replica = replica;
        this.writership = writership;
    }

    // Asked

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
        if (Terms.openGrant(replica.current()) != null) {
            waiting = new Waiting(target, replica.ports.clock().nanoTime() + SILENCE_NANOS);
            grantOnceWhole();
            return;
        }
        replica.parts().exports.close("the role of " + replica.name + " goes to " + target.name);
        give(target.id, target.name);
    }

    private @Nullable String refusal(Session session, Peer target, HandoverRequest request) {
        long term = replica.current().highestTerm();
        boolean open = Terms.openGrant(replica.current()) != null;
        boolean settled =
                open
                        ? replica.state() instanceof ReplicaState.Secondary
                        : replica.state() instanceof ReplicaState.Serving;
        if (!settled) {
            return RefusedText.of(
                    "it is " + replica.state().describe() + " there",
                    NextStep.status(replica.name));
        }
        if (replica.current().switches().shippingPaused()) {
            return RefusedText.of(
                    "shipping is paused there",
                    NextStep.on(replica.settings.engineName(), "resume-shipping " + replica.name));
        }
        Hello hello = target.hello;
        if (hello == null || !hello.consistent()) {
            return RefusedText.of(
                    target.name + " is not consistent",
                    NextStep.marsadm("wait " + replica.name + " --for consistent"));
        }
        if (request.supersedes() != term) {
            return RefusedText.of(
                    "term " + term + " is in force, not " + request.supersedes(),
                    NextStep.status(replica.name));
        }
        long end = replica.parts().tail.durable();
        if (target.received < end - LogFormat.MAX_FRAME * 64L) {
            return RefusedText.of(
                    target.name + " is " + (end - target.received) + " bytes behind",
                    NextStep.marsadm("wait " + replica.name + " --for caught-up"));
        }
        EpochHistory history = replica.current().history();
        if (history.commonEnd(end, hello.history(), target.received) != target.received
                || (!open && session.shipper == null)) {
            return RefusedText.of(
                    target.name + " does not pull the log from there now",
                    NextStep.status(replica.name));
        }
        List<String> writers = replica.parts().exports.writers();
        if (!writers.isEmpty() && !request.closeExports()) {
            return RefusedText.of(
                    "its export " + String.join(", ", writers) + " is open",
                    NextStep.marsadm("primary " + replica.name + " --close-exports"));
        }
        return null;
    }

    /** Lays the role down, for whoever holds all of the log and asks. */
    void demote(boolean closeExports, @Nullable Long expectedTerm, Reply<Done> reply) {
        if (!replica.isPrimary() && replica.isOpen()) {
            reply.done(Done.DONE);
            return;
        }
        Refusal refusal = refusal(closeExports, expectedTerm);
        if (refusal != null) {
            reply.refused(refusal);
            return;
        }
        demoting = reply;
        replica.parts().exports.close(replica.name + " is laid down");
        give(Grant.ANYBODY, "whoever asks for it");
    }

    private @Nullable Refusal refusal(boolean closeExports, @Nullable Long expectedTerm) {
        String what = replica.name + " stays primary";
        if (!(replica.state() instanceof ReplicaState.Serving)) {
            return Refusal.precondition(
                    "Busy",
                    what,
                    "it is " + replica.state().describe(),
                    NextStep.status(replica.name));
        }
        long term = replica.current().highestTerm();
        if (expectedTerm != null && expectedTerm != term) {
            return Refusal.precondition(
                    "StaleTerm",
                    what,
                    "term " + term + " is in force, not " + expectedTerm,
                    NextStep.status(replica.name));
        }
        List<String> writers = replica.parts().exports.writers();
        return writers.isEmpty() || closeExports
                ? null
                : Refusal.precondition(
                        "ExportsOpen",
                        what,
                        "its export " + String.join(", ", writers) + " is open",
                        NextStep.marsadm("secondary " + replica.name + " --close-exports"));
    }

    // Giving

    private void give(long target, String name) {
        askedNanos = replica.ports.clock().nanoTime();
        long deadline = askedNanos + GIVING_NANOS;
        replica.transition(
                new ReplicaState.HandingOver(
                        target, name, ReplicaState.HandingOver.NO_END, deadline));
        retry();
    }

    /** Writes the END record as soon as there is room for it. */
    void retry() {
        if (!replica.isOpen()
                || !(replica.state() instanceof ReplicaState.HandingOver giving)
                || giving.hasEnd()) {
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
        if (replica.isOpen()
                && replica.state() instanceof ReplicaState.HandingOver giving
                && isHeld(giving)) {
            giveAway(giving);
        }
    }

    /** Whether END is durable here and, when somebody is named, there. */
    private boolean isHeld(ReplicaState.HandingOver giving) {
        boolean there = giving.target() == Grant.ANYBODY || isHeldBy(giving.target(), giving.end());
        return replica.parts().tail.durable() >= giving.end() && there;
    }

    /** Not when it begins anew from there: the log alone is no copy. */
    private boolean isHeldBy(long target, long end) {
        Peer peer = replica.members().get(target);
        Hello hello = peer == null ? null : peer.hello;
        return peer != null && peer.received >= end && hello != null && hello.consistent();
    }

    /** The role is durably gone from here before the target hears of it. */
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
            replica.whenOpened(() -> answer(reply));
        }
    }

    /** Whether the role is laid down can only be told by what the replica has become. */
    private void answer(Reply<Done> reply) {
        if (replica.isOpen() && !replica.isPrimary()) {
            reply.done(Done.DONE);
        } else {
            reply.refused(
                    Refusal.unavailable(
                            replica.state().name(),
                            "the role of " + replica.name + " may not have been laid down",
                            "it is " + replica.state().describe(),
                            NextStep.status(replica.name)));
        }
    }

    void tick() {
        if (replica.state() instanceof ReplicaState.HandingOver giving) {
            progress();
            long now = replica.ports.clock().nanoTime();
            boolean silent = giving.target() != Grant.ANYBODY && now - askedNanos >= SILENCE_NANOS;
            boolean late = now - giving.deadlineNanos() >= 0;
            if ((silent || late) && replica.state() instanceof ReplicaState.HandingOver) {
                callOff(
                        "the end of its log was not durable "
                                + (giving.target() == Grant.ANYBODY
                                        ? "here"
                                        : "at " + giving.targetName())
                                + " in time");
            }
        }
    }

    /** Nothing has been granted yet: a new epoch behind END takes the role back. */
    void callOff(String reason) {
        Reply<Done> laidDown = demoting;
        demoting = null;
        if (laidDown != null) {
            laidDown.refused(
                    Refusal.unavailable(
                            "CalledOff",
                            replica.name + " stays primary",
                            reason,
                            NextStep.marsadm("secondary " + replica.name)));
        }
        writership.continueTerm();
    }

    /** Nothing will come of it: this replica starts over, or has failed. */
    void abandon(Refusal refusal) {
        Reply<Done> laidDown = demoting;
        demoting = null;
        waiting = null;
        if (laidDown != null) {
            laidDown.refused(refusal);
        }
    }

    // Given

    /** A grant that was recorded here may not have reached its holder. */
    void resendGrant(Session session, Hello hello) {
        Grant grant = replica.current().grant();
        if (grant != null
                && !replica.isPrimary()
                && grant.toReplica() == hello.replicaId()
                && !hello.primary()
                && hello.history().lastId().term() < grant.term()) {
            session.send(new Granted(grant.term(), replica.parts().tail.durable()));
        }
    }

    /** Whoever asks for a role that was laid down has it as soon as he holds all of the log. */
    private void grantOnceWhole() {
        Waiting asker = waiting;
        if (asker == null || !replica.isOpen()) {
            return;
        }
        Grant grant = Terms.openGrant(replica.current());
        boolean late = replica.ports.clock().nanoTime() - asker.untilNanos >= 0;
        if (late || grant == null || !(replica.state() instanceof ReplicaState.Secondary)) {
            waiting = null;
        } else if (asker.target.received >= replica.parts().tail.durable()) {
            waiting = null;
            grantTo(asker.target, grant.term());
        }
    }

    /** To the first alone: what others were told meanwhile is looked at once more. */
    private void grantTo(Peer target, long term) {
        Grant wanted = new Grant(target.id, term);
        Grant open = new Grant(Grant.ANYBODY, term);
        boolean[] granted = {false};
        replica.metadata()
                .update(
                        draft -> {
                            boolean free =
                                    open.equals(draft.grant)
                                            && draft.role == Role.SECONDARY
                                            && draft.highestTerm < term;
                            if (free) {
                                draft.grant = wanted;
                            }
                            granted[0] = wanted.equals(draft.grant);
                        },
                        failure -> {
                            if (failure != null) {
                                replica.metadataFailed(failure);
                            } else if (granted[0]) {
                                replica.talk().judgeAll();
                            } else {
                                refuse(target);
                            }
                        });
    }

    private void refuse(Peer target) {
        Session session = target.session;
        if (session != null) {
            session.send(
                    new Refused(
                            RefusedText.of(
                                    "the role of " + replica.name + " went to another first",
                                    NextStep.status(replica.name))));
        }
    }
}
