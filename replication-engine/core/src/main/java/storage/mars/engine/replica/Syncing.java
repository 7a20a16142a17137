// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.LogTail;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.log.ReplicaMetadata.Checkpoint;
import storage.mars.engine.log.ReplicaMetadata.SyncState;
import storage.mars.engine.port.Shard;
import storage.mars.engine.replication.PeerMessage.BlockData;
import storage.mars.engine.replication.PeerMessage.SyncNeeded;
import storage.mars.engine.replication.SyncTarget;

/**
 * Becoming a whole copy: while the images are inconsistent, has their blocks copied from the member
 * that is followed, goes on after a failure, and begins anew when the log or the history that they
 * rely on is gone. Owned by the shard.
 */
final class Syncing {

    private static final Logger LOGGER = LoggerFactory.getLogger(Syncing.class);
    private static final long RETRY_NANOS = 1_000_000_000L;

    private final Replica replica;
    private final Listener listener;
    private @Nullable SyncTarget target;
    private String why = "";
    private Shard.@Nullable Timer retry;

    /** Who is told. */
    interface Listener {

        /** The replica is consistent, durably recorded. */
        void consistent();

        /** Nothing is copied for now; {@link #goOn} follows. */
        void unavailable(String reason);

        /** It is time to try again. */
        void goOn();
    }

    Syncing(Replica replica, Listener listener) {
        this.replica = replica;
        this.listener = listener;
    }

    /** Copies over that link, or goes on copying, unless the replica is consistent. */
    void start(Session session) {
        if (!replica.current().sync().inconsistent()) {
            return;
        }
        SyncTarget copying = target;
        if (copying == null || copying.phase() == SyncTarget.Phase.FAILED) {
            ReplicaParts parts = replica.parts();
            copying =
                    new SyncTarget(
                            parts.images,
                            parts.turns,
                            parts.tail,
                            replica.metadata(),
                            session.codec(),
                            new Ends());
            target = copying;
        }
        copying.start(session.link);
    }

    private final class Ends implements SyncTarget.Listener {

        @Override
        public void syncDone() {
            target = null;
            why = "";
            LOGGER.atInfo().addKeyValue("resource", replica.name).log("replica is consistent");
            listener.consistent();
        }

        @Override
        public void syncFailed(String reason) {
            unavailable(reason);
        }
    }

    /** The source cannot answer, or an answer cannot be written: goes on after a while. */
    void unavailable(String reason) {
        listener.unavailable("sync: " + reason);
        if (retry == null) {
            retry =
                    replica.ports
                            .shard()
                            .schedule(
                                    RETRY_NANOS,
                                    () -> {
                                        retry = null;
                                        listener.goOn();
                                    });
        }
    }

    void received(BlockData data) {
        SyncTarget copying = target;
        if (copying != null) {
            copying.received(data);
        }
    }

    /** Log has been taken in, which is newer than what is being copied. */
    void taken(LogTail tail, long from, long to) {
        SyncTarget copying = target;
        if (copying != null) {
            tail.visit(from, to, copying::taken);
        }
    }

    void logDurable() {
        SyncTarget copying = target;
        if (copying != null) {
            copying.logDurable();
        }
    }

    void linkEnded() {
        SyncTarget copying = target;
        if (copying != null) {
            copying.linkEnded();
        }
    }

    /** The role or the log changes. */
    void end() {
        SyncTarget copying = target;
        target = null;
        if (copying != null) {
            copying.end();
        }
        Shard.Timer timer = retry;
        retry = null;
        if (timer != null) {
            timer.cancel();
        }
    }

    /** Continues "the images are being copied", for the operator; empty when nothing is to say. */
    String why() {
        return why;
    }

    long copiedBytes() {
        SyncTarget copying = target;
        return copying == null ? 0 : copying.copiedBytes();
    }

    long totalBytes() {
        return replica.current().volumes().stream()
                .mapToLong(ReplicaMetadata.VolumeShape::sizeBytes)
                .sum();
    }

    // Beginning anew

    /**
     * Whether blocks were copied that are newer than what this history has in common with that of
     * their source.
     */
    boolean reliesOnAnother(EpochHistory history) {
        ReplicaMetadata current = replica.current();
        long required = current.sync().requiredPosition();
        return current.sync().inconsistent()
                && current.history().commonEnd(required, history, required) < required;
    }

    void startOver() {
        replica.reopen(
                "the source of the copied blocks has lost its role",
                draft -> draft.sync = SyncState.FROM_THE_START);
    }

    /** The log this replica would need is gone: it begins again with an empty log and a sync. */
    void needed(SyncNeeded needed) {
        if (!(replica.state() instanceof ReplicaState.Secondary)
                || replica.current().fork() != null) {
            return;
        }
        why = ", since " + needed.reason();
        replica.reopen(
                "the primary asks for a sync: " + needed.reason(),
                draft -> {
                    draft.sync = SyncState.FROM_THE_START;
                    draft.history = needed.history();
                    draft.checkpoint = new Checkpoint(needed.start(), needed.link());
                    draft.durableKnown = needed.start();
                });
    }
}
