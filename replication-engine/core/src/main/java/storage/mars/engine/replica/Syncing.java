// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.FrameView;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.log.ReplicaMetadata.Checkpoint;
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
    private String whyCopied = "";
    private Shard.@Nullable Timer retry;
    private long requests;

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
                            replica.ports.offload(),
                            () -> requests++,
                            copying == null ? 0 : copying.required(),
                            new Ends());
            target = copying;
        }
        copying.start(session.link);
    }

    private final class Ends implements SyncTarget.Listener {

        @Override
        public void syncDone() {
            target = null;
            whyCopied = "";
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

    /** An answer of the member that is followed. */
    void received(BlockData data) {
        SyncTarget copying = target;
        if (copying == null) {
            return;
        }
        if (isOfHistory(data)) {
            copying.received(data);
        } else {
            unavailable("the source has answered in an epoch that is not followed");
        }
    }

    /** Whether the log that makes the answer whole will be that of the history followed here. */
    private boolean isOfHistory(BlockData data) {
        return replica.current().history().epochs().stream()
                .anyMatch(epoch ->
                        epoch.id().equals(data.epoch())
                                && data.newest() >= epoch.start()
                                && data.newest() <= epoch.end());
    }

    /** Log has been taken in, which is newer than what is being copied. */
    void taken(FrameView frame) {
        SyncTarget copying = target;
        if (copying != null) {
            copying.taken(frame);
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
    String whyCopied() {
        return whyCopied;
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
        SyncTarget copying = target;
        long recorded = current.sync().requiredPosition();
        long required = copying == null ? recorded : Math.max(recorded, copying.required());
        return current.sync().inconsistent()
                && current.history().commonEnd(required, history, required) < required;
    }

    void startOver() {
        replica.reopen(
                "the source of the copied blocks has lost its role",
                ReplicaMetadata.Draft::copyFromTheStart);
    }

    /** The log this replica would need is gone: it begins again with an empty log and a sync. */
    void startOver(SyncNeeded needed) {
        whyCopied = ", since " + needed.reason();
        replica.reopen(
                "the primary asks for a sync: " + needed.reason(),
                draft -> {
                    draft.copyFromTheStart();
                    draft.history = needed.history();
                    draft.checkpoint = new Checkpoint(needed.start(), needed.link());
                    draft.durableKnown = needed.start();
                    draft.logStart = needed.start();
                    replica.offered.beginAt(draft, needed);
                });
    }
}
