// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.LogBatchReader.Batch;
import storage.mars.engine.log.ReplicaMetadata.Checkpoint;
import storage.mars.engine.log.ReplicaMetadata.Fork;
import storage.mars.engine.log.ReplicaMetadata.Role;
import storage.mars.engine.replica.RoleRules.Verdict;
import storage.mars.engine.replication.PeerMessage.Hello;

/**
 * What becomes of the log behind a fork point that lost: control records alone are cut away, a
 * single data record makes it a branch, which is kept, and the fork is recorded. Owned by the
 * shard.
 */
final class ForkedLog {

    private static final Logger LOGGER = LoggerFactory.getLogger(ForkedLog.class);

    private final Replica replica;
    private final Consumer<String> trouble;

    /** Whose log is being looked at; null when nothing is to be decided. */
    private @Nullable ReplicaParts examined;

    /** {@code trouble} is told why the log could not be cut. */
    ForkedLog(Replica replica, Consumer<String> trouble) {
        this.replica = replica;
        this.trouble = trouble;
    }

    /** The replica has been opened: what was being decided has been, or is to be again. */
    void begin() {
        examined = null;
    }

    /**
     * From the meeting of a fork until it is cut away or recorded: nothing is to be pulled, and the
     * role not to be taken.
     */
    boolean isDeciding() {
        return examined != null;
    }

    /** Whether it is neither being decided on nor recorded. */
    boolean isNew(Verdict.Forked forked) {
        Fork known = replica.current().fork();
        return !isDeciding() && (known == null || !known.winner().equals(forked.winner()));
    }

    /** The log of the winner {@code by} and this one part at a point below the end of this one. */
    void decide(Verdict.Forked forked, Hello by) {
        ReplicaParts parts = replica.parts();
        examined = parts;
        parts.writer.whenIdle(() -> {
            if (goesOn(parts)) {
                look(parts, forked.forkPoint(), forked, by);
            }
        });
    }

    /** Whether the log that is looked at is still that of an open secondary; else that ends. */
    private boolean goesOn(ReplicaParts parts) {
        boolean still =
                examined == parts
                        && replica.isOpen()
                        && replica.parts() == parts
                        && replica.state() instanceof ReplicaState.Secondary
                        && !replica.isPrimary();
        if (!still && examined == parts) {
            examined = null;
        }
        return still;
    }

    private void look(ReplicaParts parts, long from, Verdict.Forked forked, Hello by) {
        long end = parts.tail.durable();
        if (from >= end) {
            findLink(parts, forked.forkPoint());
            return;
        }
        if (from < parts.segments.start()) {
            keep(forked, by);
            return;
        }
        replica.shared
                .buffers()
                .acquire(buffer -> {
                    EpochHistory history = replica.current().history();
                    parts.log
                            .reader()
                            .read(
                                    from,
                                    end,
                                    history,
                                    null,
                                    buffer,
                                    batch -> looked(parts, batch, forked, by));
                });
    }

    private void looked(ReplicaParts parts, Batch batch, Verdict.Forked forked, Hello by) {
        boolean[] data = {batch.fault() != null};
        boolean still = goesOn(parts);
        if (still) {
            parts.log.reader().visit(batch, frame -> data[0] |= frame.hasDataRecord());
        }
        replica.shared.buffers().release(batch.bytes());
        if (!still) {
            return;
        }
        if (data[0]) {
            keep(forked, by);
        } else {
            look(parts, batch.to(), forked, by);
        }
    }

    private void findLink(ReplicaParts parts, long point) {
        Checkpoint checkpoint = replica.current().checkpoint();
        if (checkpoint.position() <= point) {
            cut(point, checkpoint);
            return;
        }
        parts.links.read(
                point,
                (link, failure) -> {
                    if (!goesOn(parts)) {
                        return;
                    }
                    if (link == null) {
                        examined = null;
                        trouble.accept("the log cannot be cut at " + point + ": " + failure);
                    } else {
                        cut(point, new Checkpoint(point, link));
                    }
                });
    }

    private void cut(long point, Checkpoint checkpoint) {
        replica.reopen(
                "records of control alone are cut away behind " + point,
                draft -> {
                    if (draft.role == Role.PRIMARY) {
                        return;
                    }
                    draft.history = draft.history.endedAt(point);
                    draft.checkpoint = checkpoint;
                    draft.durableKnown = Math.min(draft.durableKnown, point);
                    draft.grant = null;
                    replica.offered.cut(draft, point);
                    long limit = draft.switches.applyLimit();
                    if (draft.sync.inconsistent()) {
                        draft.copyFromTheStart();
                    } else if (draft.switches.applyPaused()) {
                        draft.switches = draft.switches.withApplyLimit(Math.min(limit, point));
                    }
                });
    }

    private void keep(Verdict.Forked forked, Hello by) {
        record(new Fork(forked.forkPoint(), forked.winner(), by.replicaId()));
        LOGGER.atError()
                .addKeyValue("resource", replica.name)
                .addKeyValue("position", forked.forkPoint())
                .addKeyValue("peer", by.replicaName())
                .log(
                        "this replica holds data that the primary's history does not have: it is"
                                + " kept as a branch");
    }

    /** All of this log is a branch: it has no epoch in common with that of {@code by}. */
    void keepAll(Hello by) {
        record(new Fork(0, by.history().lastId(), by.replicaId()));
    }

    private void record(Fork fork) {
        replica.metadata()
                .update(
                        draft -> {
                            if (draft.role == Role.SECONDARY) {
                                draft.fork = fork;
                            }
                        },
                        failure -> {
                            examined = null;
                            if (failure != null) {
                                replica.metadataFailed(failure);
                            }
                            replica.changed();
                        });
    }
}
