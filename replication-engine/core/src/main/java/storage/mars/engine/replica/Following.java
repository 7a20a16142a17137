// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.LogBatchReader.Batch;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.log.ReplicaMetadata.Checkpoint;
import storage.mars.engine.log.ReplicaMetadata.Draft;
import storage.mars.engine.log.ReplicaMetadata.Fork;
import storage.mars.engine.log.ReplicaMetadata.SyncState;
import storage.mars.engine.port.Shard;
import storage.mars.engine.replica.RoleRules.Verdict;
import storage.mars.engine.replication.PeerMessage.BlockData;
import storage.mars.engine.replication.PeerMessage.Hello;
import storage.mars.engine.replication.PeerMessage.LogData;
import storage.mars.engine.replication.PeerMessage.Position;
import storage.mars.engine.replication.PeerMessage.SyncNeeded;
import storage.mars.engine.replication.Puller;
import storage.mars.engine.replication.SyncTarget;

/**
 * Being a secondary: follows the member that holds the role, pulls its log, copies its blocks when
 * this replica's images are not yet a copy, and refuses to follow a log that forks from its own.
 * Owned by the shard.
 */
final class Following {

    private static final Logger LOGGER = LoggerFactory.getLogger(Following.class);
    private static final long RETRY_NANOS = 1_000_000_000L;

    private final Replica replica;
    private @Nullable Session source;
    private @Nullable SyncTarget sync;
    private @Nullable String trouble;
    private String whyCopied = "";
    private Shard.@Nullable Timer retry;
    private boolean cutting;
    private boolean fromOpen;
    private Runnable onLeft = () -> {};

    Following(Replica replica) {
        this.replica = replica;
    }

    /** The replica has been opened as a secondary. */
    void begin() {
        trouble = null;
        cutting = false;
        replica.transition(new ReplicaState.Secondary());
        if (!replica.current().sync().inconsistent()) {
            export();
        }
    }

    private void export() {
        ReplicaMetadata current = replica.current();
        replica.parts().exports.openReadOnly(current.volumes(), current.incarnation());
    }

    /** Stops following; the role or the log changes. */
    void end() {
        Session from = source;
        source = null;
        if (from != null) {
            from.endStreams();
        }
        SyncTarget copying = sync;
        sync = null;
        if (copying != null) {
            copying.end();
        }
        Shard.Timer timer = retry;
        retry = null;
        if (timer != null) {
            timer.cancel();
        }
    }

    /**
     * Why this replica does not follow, in words for the operator; null when it does or nobody is
     * there.
     */
    @Nullable String trouble() {
        return trouble;
    }

    /** Continues "the images are being copied", for the operator; empty when nothing is to say. */
    String whyCopied() {
        return whyCopied;
    }

    @Nullable Session source() {
        return source;
    }

    // Following

    /** The member holds the role and this log is a prefix of its log. */
    void follow(Session session, Hello hello) {
        boolean behind =
                replica.state() instanceof ReplicaState.Secondary
                        || replica.state() instanceof ReplicaState.Promoting;
        if (!behind || cutting) {
            return;
        }
        trouble = null;
        replica.lag.sample(hello.durable(), replica.ports.clock().nanoTime());
        Session old = source;
        if (old != null && old != session) {
            old.endStreams();
        }
        source = session;
        pullAnew(session, hello.openTerm() > 0);
        if (reliesOnAnother(hello.history())) {
            startCopyingOver();
        } else if (adopted(hello)) {
            pull(session);
        } else {
            adopt(session, hello);
        }
    }

    /** A source that lays its role down starts over, and ships nothing before it is asked again. */
    private void pullAnew(Session session, boolean open) {
        Puller puller = session.puller;
        if (open != fromOpen && puller != null) {
            puller.end();
            session.puller = null;
        }
        fromOpen = open;
    }

    /**
     * Blocks were copied that are newer than what this history has in common with their source's.
     */
    private boolean reliesOnAnother(EpochHistory history) {
        ReplicaMetadata current = replica.current();
        long required = current.sync().requiredPosition();
        return current.sync().inconsistent()
                && current.history().commonEnd(required, history, required) < required;
    }

    private void startCopyingOver() {
        replica.reopen(
                "the source of the copied blocks has lost its role",
                draft -> draft.sync = SyncState.FROM_THE_START);
    }

    /** The primary says that it holds less than this replica: not to be asked for what follows. */
    void ahead(RoleRules.Verdict.Ahead ahead, Hello hello) {
        if (source == null) {
            trouble =
                    hello.replicaName()
                            + " holds the log up to "
                            + ahead.kept()
                            + " only, less than this replica";
        }
    }

    private boolean adopted(Hello hello) {
        ReplicaMetadata current = replica.current();
        return current.history().lastId().equals(hello.history().lastId())
                && current.incarnation() == hello.incarnation()
                && current.grant() == null
                && current.fork() == null;
    }

    /** The epochs are in the metadata before their first byte is in the log. */
    private void adopt(Session session, Hello hello) {
        Puller puller = session.puller;
        if (puller != null) {
            puller.hold();
        }
        long durable = replica.parts().tail.durable();
        replica.metadata()
                .update(
                        draft -> {
                            draft.history = hello.history();
                            draft.durableKnown = Math.max(draft.durableKnown, durable);
                            draft.incarnation = hello.incarnation();
                            draft.highestTerm = Math.max(draft.highestTerm, hello.highestTerm());
                            draft.fork = null;
                            if (draft.grant != null
                                    && hello.history().lastId().term() >= draft.grant.term()) {
                                draft.grant = null;
                            }
                        },
                        failure -> {
                            if (failure != null) {
                                replica.metadataFailed(failure);
                            } else if (source == session && replica.isOpen()) {
                                pull(session);
                            }
                        });
    }

    private void pull(Session session) {
        Puller existing = session.puller;
        if (existing != null && !existing.isEnded()) {
            existing.resume();
            return;
        }
        if (session.isClosed() || replica.current().switches().shippingPaused()) {
            return;
        }
        ReplicaParts parts = replica.parts();
        Puller puller =
                new Puller(
                        parts.tail,
                        parts.intake,
                        parts.writer,
                        () -> replica.current().history(),
                        replica.shared.received(),
                        session.codec(),
                        session.link,
                        this::indexHasRoom,
                        new Puller.Listener() {

                            @Override
                            public void asking() {
                                session.send(replica.hello(session.dialled));
                            }

                            @Override
                            public void taken(long from, long to) {
                                SyncTarget copying = sync;
                                if (copying != null) {
                                    parts.tail.visit(from, to, copying::taken);
                                }
                            }

                            @Override
                            public void wrong(String reason) {
                                trouble = reason;
                                LOGGER.atWarn()
                                        .addKeyValue("resource", replica.name)
                                        .log("received log is refused: {}", reason);
                                session.close();
                            }
                        });
        session.puller = puller;
        puller.start();
        syncIfNeeded(session);
    }

    /** The source does not serve the pull: the next hello shows whether and whom to ask again. */
    void refusedBy(Session session, String reason) {
        Puller puller = session.puller;
        if (puller != null && session == source) {
            puller.end();
            session.puller = null;
            trouble = reason;
        }
    }

    private boolean indexHasRoom() {
        return replica.isOpen()
                && replica.parts().index.blocks() < replica.settings.maxIndexBlocks();
    }

    void received(Session session, LogData data) {
        Puller puller = session.puller;
        if (puller != null && session == source) {
            replica.lag.sample(data.position(), replica.ports.clock().nanoTime());
            puller.received(data);
        }
    }

    /** Received log is durable up to {@code position}. */
    void durable(long position) {
        SyncTarget copying = sync;
        if (copying != null) {
            copying.logDurable();
        }
        report();
        room();
        replica.writership().progress();
    }

    private void report() {
        Session to = source;
        if (to != null && replica.isOpen()) {
            ReplicaParts parts = replica.parts();
            to.send(
                    new Position(
                            parts.tail.durable(),
                            parts.feed.applied(),
                            parts.checkpointer.position()));
        }
    }

    void room() {
        Session from = source;
        Puller puller = from == null ? null : from.puller;
        if (puller != null) {
            puller.advance();
        }
    }

    void linkEnded(Session session) {
        if (session == source) {
            source = null;
            SyncTarget copying = sync;
            if (copying != null) {
                copying.linkEnded();
            }
        }
    }

    void tick() {
        room();
        report();
    }

    // Copying

    private void syncIfNeeded(Session session) {
        if (!replica.current().sync().inconsistent()) {
            return;
        }
        SyncTarget copying = sync;
        if (copying == null || copying.phase() == SyncTarget.Phase.FAILED) {
            ReplicaParts parts = replica.parts();
            copying =
                    new SyncTarget(
                            parts.images,
                            parts.turns,
                            parts.tail,
                            replica.metadata(),
                            session.codec(),
                            new SyncEnds());
            sync = copying;
        }
        copying.start(session.link);
    }

    private final class SyncEnds implements SyncTarget.Listener {

        @Override
        public void syncDone() {
            sync = null;
            whyCopied = "";
            LOGGER.atInfo().addKeyValue("resource", replica.name).log("replica is consistent");
            if (replica.isOpen()) {
                export();
            }
            replica.changed();
            replica.talk().helloAll();
        }

        @Override
        public void syncFailed(String reason) {
            unavailable(reason);
        }
    }

    /** The source cannot answer, or an answer cannot be written: goes on after a while. */
    void unavailable(String reason) {
        trouble = "sync: " + reason;
        if (retry == null) {
            retry =
                    replica.ports
                            .shard()
                            .schedule(
                                    RETRY_NANOS,
                                    () -> {
                                        retry = null;
                                        Session from = source;
                                        if (from != null && replica.isOpen()) {
                                            trouble = null;
                                            syncIfNeeded(from);
                                        }
                                    });
        }
    }

    void received(BlockData data) {
        SyncTarget copying = sync;
        if (copying != null) {
            copying.received(data);
        }
    }

    long copiedBytes() {
        SyncTarget copying = sync;
        return copying == null ? 0 : copying.copiedBytes();
    }

    long totalBytes() {
        return replica.current().volumes().stream()
                .mapToLong(ReplicaMetadata.VolumeShape::sizeBytes)
                .sum();
    }

    /** The log this replica would need is gone: it begins again with an empty log and a sync. */
    void syncNeeded(SyncNeeded needed) {
        if (!(replica.state() instanceof ReplicaState.Secondary)
                || replica.current().fork() != null) {
            return;
        }
        whyCopied = ", since " + needed.reason();
        replica.reopen(
                "the primary asks for a sync: " + needed.reason(),
                draft -> {
                    draft.sync = SyncState.FROM_THE_START;
                    draft.history = needed.history();
                    draft.checkpoint = new Checkpoint(needed.start(), needed.link());
                    draft.durableKnown = needed.start();
                });
    }

    // Forks

    /** The logs part at a point below the end of this one. */
    void forked(Verdict.Forked forked, Hello hello) {
        if (!(replica.state() instanceof ReplicaState.Secondary) || cutting) {
            return;
        }
        Fork known = replica.current().fork();
        if (known != null && known.winner().equals(forked.winner())) {
            return;
        }
        cutting = true;
        end();
        look(forked.forkPoint(), forked, hello);
    }

    /**
     * Control records alone may be cut away; a single record of a client's makes the tail a branch.
     */
    private void look(long from, Verdict.Forked forked, Hello hello) {
        ReplicaParts parts = replica.parts();
        long end = parts.tail.durable();
        if (from >= end) {
            findLink(forked);
            return;
        }
        if (from < parts.segments.start()) {
            diverged(forked, hello);
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
                                    batch -> looked(batch, forked, hello));
                });
    }

    private void looked(Batch batch, Verdict.Forked forked, Hello hello) {
        boolean[] data = {batch.fault() != null};
        if (replica.isOpen()) {
            replica.parts().log.reader().visit(batch, frame -> data[0] |= frame.hasDataRecord());
        }
        ByteBuffer buffer = batch.bytes();
        replica.shared.buffers().release(buffer);
        if (!replica.isOpen()) {
            return;
        }
        if (data[0]) {
            diverged(forked, hello);
        } else {
            look(batch.to(), forked, hello);
        }
    }

    private void findLink(Verdict.Forked forked) {
        long point = forked.forkPoint();
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
                                cutting = false;
                                trouble = "the log cannot be cut at " + point + ": " + failure;
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

    private void diverged(Verdict.Forked forked, Hello hello) {
        record(new Fork(forked.forkPoint(), forked.winner(), hello.replicaId()));
        LOGGER.atError()
                .addKeyValue("resource", replica.name)
                .addKeyValue("position", forked.forkPoint())
                .addKeyValue("peer", hello.replicaName())
                .log(
                        "this replica holds data that the primary's history does not have: it is kept as a branch");
    }

    private void record(Fork fork) {
        replica.metadata()
                .update(
                        (Draft draft) -> draft.fork = fork,
                        failure -> {
                            cutting = false;
                            if (failure != null) {
                                replica.metadataFailed(failure);
                            }
                            replica.changed();
                        });
    }

    void unrelated(Hello hello) {
        if (trouble == null) {
            trouble = "the log of " + hello.replicaName() + " has no epoch in common with this one";
            record(new Fork(0, hello.history().lastId(), hello.replicaId()));
        }
    }

    // Leaving

    void whenLeft(Runnable task) {
        onLeft = task;
    }

    void left() {
        onLeft.run();
    }
}
