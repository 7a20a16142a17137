// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.log.ControlPayload;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.EpochId;
import storage.mars.engine.log.LogFormat;
import storage.mars.engine.log.RecordType;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.log.ReplicaMetadata.Draft;
import storage.mars.engine.log.ReplicaMetadata.Grant;
import storage.mars.engine.log.ReplicaMetadata.Role;
import storage.mars.engine.log.ReplicaMetadata.Switches;
import storage.mars.engine.replica.RoleRules.Verdict;
import storage.mars.engine.replication.PeerMessage.Hello;

/**
 * Being primary: meets the members after a restart, starts epochs after that or a promotion, is
 * fenced. How the role comes and goes is in {@link HandoverTarget}, {@link HandoverSource} and
 * {@link ForcedPromotion}. The states, events and actions are in docs/roles.md. Owned by the shard.
 */
final class Writership {

    private static final Logger LOGGER = LoggerFactory.getLogger(Writership.class);
    private static final long LOOK_ROUND_NANOS = 100_000_000L;

    private final Replica replica;
    private final HandoverSource source;
    private final HandoverTarget target;
    private @Nullable Reply<Done> awaiting;
    private @Nullable EpochId starting;
    private long epochRecordEnd;
    private boolean epochRecorded;
    private @Nullable Split splitBrain;

    /** Somebody else writes in {@code term}. */
    private record Split(long term, String words) {}

    Writership(Replica replica) {
        this.replica = replica;
        this.source = new HandoverSource(replica, this);
        this.target = new HandoverTarget(replica, this, source);
    }

    HandoverSource handoverSource() {
        return source;
    }

    HandoverTarget handoverTarget() {
        return target;
    }

    /**
     * With whom this primary writes in the same term, in words for the operator; null when with
     * nobody.
     */
    @Nullable String splitBrainWith() {
        Split split = splitBrain;
        boolean now = split != null && split.term == replica.current().history().lastId().term();
        return now && split != null ? split.words : null;
    }

    // Starting

    /** The replica has been opened as a primary: it asks its members before it goes on. */
    void resume() {
        Duration wait = replica.settings.peerWait(replica.current().bootId());
        long now = replica.ports.clock().nanoTime();
        replica.transition(new ReplicaState.Meeting(now + wait.toNanos()));
        if (replica.members().all().isEmpty()) {
            continueTerm();
            return;
        }
        replica.ports.shard().schedule(wait.toNanos(), this::met);
        met();
        lookRound();
    }

    /** The wait is short: dials that are due do not wait for the next tick meanwhile. */
    private void lookRound() {
        if (replica.state() instanceof ReplicaState.Meeting) {
            replica.members().dialMissing();
            replica.ports.shard().schedule(LOOK_ROUND_NANOS, this::lookRound);
        }
    }

    /** A member has been met, or the time for it is over. */
    void met() {
        if (replica.state() instanceof ReplicaState.Meeting meeting && replica.isOpen()) {
            boolean late = replica.ports.clock().nanoTime() - meeting.deadlineNanos() >= 0;
            if (late || replica.members().allAnswered()) {
                lookAround();
            }
        }
    }

    /** Who was heard during recovery has not been judged yet, and may forbid to go on. */
    private void lookAround() {
        replica.talk().lookAtAll();
        if (replica.state() instanceof ReplicaState.Meeting && replica.isOpen()) {
            continueTerm();
        }
    }

    /** A new epoch of the same term: after a restart, or when a handover was called off. */
    void continueTerm() {
        ReplicaMetadata current = replica.current();
        long term = Math.max(1, current.history().lastId().term());
        if (current.highestTerm() > term) {
            fence(current.highestTerm(), replica.name);
        } else {
            startEpoch(term, draft -> {});
        }
    }

    /**
     * Becomes, or goes on as, the writer from the end of the log on. Term and id are in the
     * metadata, with {@code more}, before the first byte of the epoch is in the log.
     */
    void startEpoch(long term, Consumer<Draft> more) {
        ReplicaParts parts = replica.parts();
        replica.following().end();
        replica.transition(new ReplicaState.StartingEpoch());
        EpochHistory history = replica.current().history();
        long sequence = history.lastId().term() == term ? history.lastId().sequence() + 1 : 0;
        EpochId id = new EpochId(term, sequence, replica.ports.entropy().nextLong());
        epochRecorded = false;
        parts.writer.whenIdle(() -> recordEpoch(parts, id, more));
    }

    private void recordEpoch(ReplicaParts parts, EpochId id, Consumer<Draft> more) {
        if (!replica.isOpen() || replica.parts() != parts) {
            return;
        }
        long start = parts.tail.end();
        boolean[] late = {false};
        replica.metadata()
                .update(
                        draft -> {
                            late[0] = isLate(draft, id.term());
                            if (!late[0]) {
                                begin(draft, id, start);
                                more.accept(draft);
                            }
                        },
                        failure -> {
                            boolean same = replica.isOpen() && replica.parts() == parts;
                            if (failure != null) {
                                replica.metadataFailed(failure);
                            } else if (same && late[0]) {
                                late(id.term());
                            } else if (same) {
                                starting = id;
                                parts.builder.epoch(id);
                                parts.feed.limit(Long.MAX_VALUE);
                                retry();
                            }
                        });
    }

    /**
     * Whether somebody else may have that term by now: it was heard of, or given away here, or a
     * higher one.
     */
    private static boolean isLate(Draft draft, long term) {
        if (draft.role == Role.PRIMARY && draft.history.lastId().term() == term) {
            return draft.highestTerm > term;
        }
        Grant grant = draft.grant;
        boolean given = grant != null && grant.toReplica() != Grant.ANYBODY && grant.term() >= term;
        return given || draft.highestTerm >= Math.max(2, term);
    }

    private void begin(Draft draft, EpochId id, long start) {
        draft.role = Role.PRIMARY;
        draft.history = pruned(draft.history).startedAt(start, id, replica.replicaId());
        draft.highestTerm = Math.max(draft.highestTerm, id.term());
        draft.durableKnown = Math.max(draft.durableKnown, start);
        draft.grant = null;
        draft.offer = null;
        draft.fork = null;
        draft.bootId = replica.settings.bootId();
        draft.switches = draft.switches.withApplyLimit(Switches.UNLIMITED);
    }

    private void late(long term) {
        long highest = replica.current().highestTerm();
        if (replica.isPrimary()) {
            fence(highest, replica.name);
        } else {
            giveUp(
                    Refusal.precondition(
                            "StaleTerm",
                            replica.name + " does not become primary here",
                            "term "
                                    + Terms.inForce(replica.current())
                                    + " was heard of, or given away, before term "
                                    + term
                                    + " began",
                            NextStep.status(replica.name)));
        }
    }

    private EpochHistory pruned(EpochHistory history) {
        if (history.epochs().size() <= replica.settings.epochsKept()) {
            return history;
        }
        long checkpoint = replica.current().checkpoint().position();
        long shortest = replica.members().shortest(replica.parts().segments.start());
        EpochHistory pruned = history.prunedBelow(Math.min(checkpoint, shortest));
        int size = pruned.epochs().size();
        if (size < EpochHistory.MAX_EPOCHS / 2) {
            return pruned;
        }
        // Who was away for that many restarts has nothing in common any more and has to join anew;
        // what this replica itself would read after a crash is never forgotten.
        long newest = pruned.epochs().get(size / 2).start();
        return pruned.prunedBelow(Math.min(checkpoint, newest));
    }

    /** Writes the EPOCH record as soon as there is room for it. */
    void retry() {
        EpochId id = starting;
        if (id != null && !epochRecorded && replica.isOpen()) {
            ReplicaParts parts = replica.parts();
            if (!parts.builder.reserve(LogFormat.BLOCK, true)) {
                return;
            }
            long start = replica.current().history().last().start();
            ByteBuffer payload = ControlPayload.epoch(id, replica.replicaId(), start);
            parts.builder.append(RecordType.EPOCH, 0, 0, payload, 0, LogFormat.BLOCK);
            parts.builder.seal();
            epochRecordEnd = parts.builder.awaitPosition();
            epochRecorded = true;
            parts.writer.wake();
        }
        source.retry();
    }

    /** The log is durable below {@code position}. */
    void durable(long position) {
        serveIfReady(position);
        source.progress();
    }

    void fed() {
        serveIfReady(replica.parts().tail.durable());
    }

    private void serveIfReady(long position) {
        ReplicaParts parts = replica.parts();
        boolean ready =
                starting != null
                        && epochRecorded
                        && position >= epochRecordEnd
                        && parts.feed.isCaughtUp();
        if (!ready) {
            return;
        }
        starting = null;
        ReplicaMetadata current = replica.current();
        parts.exports.openWritable(
                current.volumes(),
                current.incarnation(),
                parts.builder,
                parts.writer,
                parts.tail.durable());
        replica.transition(new ReplicaState.Serving());
        replica.talk().helloAll();
        Reply<Done> reply = awaiting;
        awaiting = null;
        if (reply != null) {
            reply.done(Done.DONE);
        }
    }

    // Who waits for it

    /** {@code reply} is told when this replica is the primary, or why it will not be. */
    void awaitServing(Reply<Done> reply) {
        awaiting = reply;
    }

    /** It stays, or is again, a secondary. */
    void giveUp(Refusal refusal) {
        Reply<Done> reply = awaiting;
        awaiting = null;
        replica.transition(new ReplicaState.Secondary());
        replica.talk().judgeAll();
        if (reply != null) {
            reply.refused(refusal);
        }
    }

    /** Nothing will come of what was asked for here: this replica starts over, or has failed. */
    void abandon(String reason) {
        Refusal refusal =
                Refusal.precondition(
                        "Overtaken",
                        "the role of " + replica.name + " does not change",
                        reason,
                        NextStep.status(replica.name));
        Reply<Done> reply = awaiting;
        awaiting = null;
        if (reply != null) {
            reply.refused(refusal);
        }
        source.abandon(refusal);
    }

    // Meeting others

    /** Somebody knows of a higher term: from now on nothing is acknowledged here. */
    void fence(long term, String by) {
        if (replica.state() instanceof ReplicaState.Failed || !replica.isOpen()) {
            return;
        }
        LOGGER.atWarn()
                .addKeyValue("resource", replica.name)
                .addKeyValue("peer", by)
                .log("term {} is in force: this replica is no longer primary", term);
        starting = null;
        abandon("term " + term + " is in force");
        replica.reopen(
                by + " knows of term " + term,
                draft -> {
                    draft.role = Role.SECONDARY;
                    draft.highestTerm = Math.max(draft.highestTerm, term);
                });
    }

    void splitBrain(long forkPoint, Hello other) {
        if (splitBrainWith() == null) {
            long term = other.history().lastId().term();
            String words =
                    other.replicaName()
                            + " writes in the same term "
                            + term
                            + "; the logs fork at "
                            + forkPoint;
            splitBrain = new Split(term, words);
            LOGGER.atError().addKeyValue("resource", replica.name).log(words);
            replica.changed();
        }
    }

    void durableLoss(Verdict.DurableLoss loss, Hello member) {
        if (replica.state() instanceof ReplicaState.Meeting) {
            replica.transition(
                    new ReplicaState.DurableLoss(
                            member.replicaName()
                                    + " has received the log up to "
                                    + loss.received()
                                    + ", but it ends here at "
                                    + loss.kept()));
        }
    }

    // Time

    void tick() {
        met();
        retry();
        source.tick();
        target.tick();
        replica.talk().memberList().makeSpace();
    }
}
