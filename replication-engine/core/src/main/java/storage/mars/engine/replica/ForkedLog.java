// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.LogBatchReader.Batch;
import storage.mars.engine.log.ReplicaMetadata.Checkpoint;
import storage.mars.engine.log.ReplicaMetadata.Fork;
import storage.mars.engine.log.ReplicaMetadata.SyncState;
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
    private boolean deciding;

    /** {@code trouble} is told why the log could not be cut. */
    ForkedLog(Replica replica, Consumer<String> trouble) {
        this.replica = replica;
        this.trouble = trouble;
    }

    /** The replica has been opened: what was being decided has been, or is to be again. */
    void begin() {
        deciding = false;
    }

    /** From the meeting of a fork until it is cut away or recorded: nothing is to be pulled. */
    boolean isDeciding() {
        return deciding;
    }

    /** Whether it is neither being decided on nor recorded. */
    boolean isNew(Verdict.Forked forked) {
        Fork known = replica.current().fork();
        return !deciding && (known == null || !known.winner().equals(forked.winner()));
    }

    /** The log of the winner {@code by} and this one part at a point below the end of this one. */
    void decide(Verdict.Forked forked, Hello by) {
        deciding = true;
        look(forked.forkPoint(), forked, by);
    }

    private void look(long from, Verdict.Forked forked, Hello by) {
        ReplicaParts parts = replica.parts();
        long end = parts.tail.durable();
        if (from >= end) {
            findLink(forked.forkPoint());
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
                                    batch -> looked(batch, forked, by));
                });
    }

    private void looked(Batch batch, Verdict.Forked forked, Hello by) {
        boolean[] data = {batch.fault() != null};
        if (replica.isOpen()) {
            replica.parts().log.reader().visit(batch, frame -> data[0] |= frame.hasDataRecord());
        }
        replica.shared.buffers().release(batch.bytes());
        if (!replica.isOpen()) {
            return;
        }
        if (data[0]) {
            keep(forked, by);
        } else {
            look(batch.to(), forked, by);
        }
    }

    private void findLink(long point) {
        Checkpoint checkpoint = replica.current().checkpoint();
        if (checkpoint.position() <= point) {
            cut(point, checkpoint);
            return;
        }
        replica.parts()
                .links
                .read(
                        point,
                        (link, failure) -> {
                            if (link == null) {
                                deciding = false;
                                trouble.accept(
                                        "the log cannot be cut at " + point + ": " + failure);
                            } else {
                                cut(point, new Checkpoint(point, link));
                            }
                        });
    }

    private void cut(long point, Checkpoint checkpoint) {
        replica.reopen(
                "records of control alone are cut away behind " + point,
                draft -> {
                    draft.history = draft.history.endedAt(point);
                    draft.checkpoint = checkpoint;
                    draft.durableKnown = Math.min(draft.durableKnown, point);
                    draft.grant = null;
                    if (draft.sync.inconsistent()) {
                        draft.sync = SyncState.FROM_THE_START;
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
                        draft -> draft.fork = fork,
                        failure -> {
                            deciding = false;
                            if (failure != null) {
                                replica.metadataFailed(failure);
                            }
                            replica.changed();
                        });
    }
}
