// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.replica.RoleRules.Verdict;
import storage.mars.engine.replication.PeerMessage.BlockData;
import storage.mars.engine.replication.PeerMessage.BlocksUnavailable;
import storage.mars.engine.replication.PeerMessage.Hello;
import storage.mars.engine.replication.PeerMessage.LogData;
import storage.mars.engine.replication.PeerMessage.Position;
import storage.mars.engine.replication.PeerMessage.SyncNeeded;
import storage.mars.engine.replication.Puller;

/**
 * Being a secondary: follows the member that holds the role, adopts its history, pulls its log and
 * reports how far it is. What it needs beyond the log is {@link Syncing}; a log that forks from its
 * own is not followed but left to {@link ForkedLog}. Owned by the shard.
 */
final class Following {

    private static final Logger LOGGER = LoggerFactory.getLogger(Following.class);

    private final Replica replica;
    private final Syncing syncing;
    private final ForkedLog forkedLog;
    private final Adoption adoption;
    private @Nullable Session source;
    private @Nullable String trouble;
    private boolean fromOpen;

    /** Whose log is being written to the end, before anybody is followed. */
    private @Nullable ReplicaParts settling;

    /** Somebody was not followed meanwhile. */
    private boolean judgeAgain;

    Following(Replica replica) {
        this.replica = replica;
        this.syncing = new Syncing(replica, new Copied());
        this.forkedLog = new ForkedLog(replica, this::trouble);
        this.adoption = new Adoption(replica);
    }

    Syncing syncing() {
        return syncing;
    }

    /** The replica has been opened as a secondary. */
    void begin() {
        trouble = null;
        settling = null;
        forkedLog.begin();
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
        unfollow();
        syncing.end();
    }

    /** Nothing that the source still sends is taken in; what was is written to the end. */
    private void unfollow() {
        Session from = source;
        source = null;
        if (from != null) {
            from.endStreams();
            syncing.linkEnded();
        }
    }

    /**
     * Why this replica does not follow, in words for the operator; null when it does or nobody is
     * there.
     */
    @Nullable String trouble() {
        return trouble;
    }

    private void trouble(String reason) {
        trouble = reason;
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
        if (!behind || forkedLog.isDeciding()) {
            return;
        }
        if (adoption.isUnderWay() || settling == replica.parts()) {
            judgeAgain = true;
            return;
        }
        if (receivesWhatForks(hello)) {
            settle(replica.parts());
            return;
        }
        trouble = null;
        replica.lag.sample(hello.durable(), replica.ports.clock().nanoTime());
        if (source != session) {
            unfollow();
        }
        source = session;
        pullAnew(session, hello.openTerm() > 0);
        if (syncing.reliesOnAnother(hello.history())) {
            syncing.startOver();
        } else if (Adoption.isDone(replica.current(), hello)) {
            pull(session);
        } else {
            Puller puller = session.puller;
            if (puller != null) {
                puller.hold();
            }
            adoption.start(hello, asJudged -> adopted(session, asJudged));
        }
    }

    /**
     * Whether what has been received, but is not durable yet, goes on differently in that history:
     * it was judged without, and will be judged again when all is durable.
     */
    private boolean receivesWhatForks(Hello hello) {
        long end = replica.parts().tail.end();
        return replica.current().history().commonEnd(end, hello.history(), Long.MAX_VALUE) < end;
    }

    private void settle(ReplicaParts parts) {
        unfollow();
        settling = parts;
        parts.writer.whenIdle(() -> {
            if (settling == parts) {
                settling = null;
                replica.talk().judgeAll();
            }
        });
    }

    /** The member that was followed is the primary of a term that is over. */
    void outdated(@Nullable Session session) {
        if (session != null && session == source) {
            unfollow();
        }
    }

    /** A source that lays its role down starts over, and ships nothing before it is asked again. */
    private void pullAnew(Session session, boolean open) {
        if (open != fromOpen) {
            endPull(session);
        }
        fromOpen = open;
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

    /** What was not adopted, since something has changed meanwhile, is judged at its next hello. */
    private void adopted(Session session, boolean asJudged) {
        boolean again = judgeAgain;
        judgeAgain = false;
        if (!replica.isOpen()) {
            return;
        }
        if (asJudged && replica.parts().exports.isOpen()) {
            export();
        }
        if (source == session && asJudged) {
            pull(session);
        } else if (source == session) {
            unfollow();
        }
        if (again) {
            replica.talk().judgeAll();
        }
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
                        new Pulled(parts, session));
        session.puller = puller;
        puller.start();
        syncing.start(session);
    }

    private final class Pulled implements Puller.Listener {

        private final ReplicaParts parts;
        private final Session session;

        Pulled(ReplicaParts parts, Session session) {
            this.parts = parts;
            this.session = session;
        }

        @Override
        public void asking() {
            session.send(OwnHello.of(replica, session));
        }

        @Override
        public void taken(long from, long to) {
            parts.tail.visit(
                    from,
                    to,
                    frame -> {
                        replica.offered.frame(frame);
                        syncing.taken(frame);
                    });
        }

        @Override
        public void wrong(String reason) {
            trouble = reason;
            LOGGER.atWarn()
                    .addKeyValue("resource", replica.name)
                    .log("received log is refused: {}", reason);
            session.close();
        }
    }

    /**
     * The source does not serve the pull: the next hello shows whether and whom to ask again. Where
     * {@code askedMore} than the log, it is the pull as well unless that is being served.
     */
    void refusedBy(Session session, String reason, boolean askedMore) {
        Puller puller = session.puller;
        boolean pull = puller != null && (!askedMore || puller.isUnanswered());
        if (pull && session == source) {
            endPull(session);
            trouble = reason;
        }
    }

    private static void endPull(Session session) {
        Puller puller = session.puller;
        if (puller != null) {
            puller.end();
            session.puller = null;
        }
    }

    /**
     * The log that was asked for is gone. A replica that cannot begin anew now pulls no more, and
     * is told again when it asks again.
     */
    void needed(Session session, SyncNeeded needed) {
        if (session != source) {
            return;
        }
        boolean outdated = needed.history().lastId().term() < replica.current().highestTerm();
        boolean free =
                replica.state() instanceof ReplicaState.Secondary
                        && replica.current().fork() == null
                        && !forkedLog.isDeciding();
        if (free && !outdated) {
            syncing.startOver(needed);
        } else {
            endPull(session);
        }
    }

    private boolean indexHasRoom() {
        return replica.isOpen() && replica.parts().index.hasRoom(1);
    }

    void received(Session session, LogData data) {
        Puller puller = session.puller;
        if (puller != null && session == source) {
            replica.lag.sample(data.position(), replica.ports.clock().nanoTime());
            puller.received(data);
        }
    }

    void received(Session session, BlockData data) {
        if (session == source) {
            syncing.received(data);
        }
    }

    void unavailable(Session session, BlocksUnavailable unavailable) {
        if (session == source) {
            syncing.unavailable(unavailable.reason());
        }
    }

    /** Received log is durable up to {@code position}. */
    void durable(long position) {
        syncing.logDurable();
        report();
        room();
        replica.writership().handoverSource().progress();
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
            syncing.linkEnded();
        }
    }

    void tick() {
        room();
        report();
    }

    // Syncing

    private final class Copied implements Syncing.Listener {

        @Override
        public void consistent() {
            if (replica.isOpen()) {
                export();
            }
            replica.changed();
            replica.talk().helloAll();
        }

        @Override
        public void unavailable(String reason) {
            trouble = reason;
        }

        @Override
        public void goOn() {
            Session from = source;
            if (from != null && replica.isOpen()) {
                trouble = null;
                syncing.start(from);
            }
        }
    }

    // Forks

    /** Whether this log forks from the primary's, and what becomes of it is being decided. */
    boolean isDeciding() {
        return forkedLog.isDeciding();
    }

    /** The member holds the role, and the logs part at a point below the end of this one. */
    void forked(Verdict.Forked forked, Hello hello) {
        if (isToBeDecided(forked)) {
            end();
            forkedLog.decide(forked, hello);
        }
    }

    /** The member holds the role, and the logs have nothing in common. */
    void unrelated(Hello hello) {
        Verdict.Forked all = new Verdict.Forked(0, hello.history().lastId());
        if (isToBeDecided(all)) {
            trouble("the log of " + hello.replicaName() + " has no epoch in common with this one");
            end();
            forkedLog.keepAll(hello);
        }
    }

    /** Not while a history is being adopted: then it is judged once more. */
    private boolean isToBeDecided(Verdict.Forked forked) {
        if (adoption.isUnderWay()) {
            judgeAgain = true;
            return false;
        }
        return replica.state() instanceof ReplicaState.Secondary && forkedLog.isNew(forked);
    }
}
