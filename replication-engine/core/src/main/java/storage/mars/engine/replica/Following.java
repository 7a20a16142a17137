// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.replica.RoleRules.Verdict;
import storage.mars.engine.replication.PeerMessage.Hello;
import storage.mars.engine.replication.PeerMessage.LogData;
import storage.mars.engine.replication.PeerMessage.Position;
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
    private @Nullable Session source;
    private @Nullable String trouble;
    private boolean fromOpen;

    Following(Replica replica) {
        this.replica = replica;
        this.syncing = new Syncing(replica, new Copied());
        this.forkedLog = new ForkedLog(replica, this::trouble);
    }

    Syncing syncing() {
        return syncing;
    }

    /** The replica has been opened as a secondary. */
    void begin() {
        trouble = null;
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
        Session from = source;
        source = null;
        if (from != null) {
            from.endStreams();
        }
        syncing.end();
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
        trouble = null;
        replica.lag.sample(hello.durable(), replica.ports.clock().nanoTime());
        Session old = source;
        if (old != null && old != session) {
            old.endStreams();
        }
        source = session;
        pullAnew(session, hello.openTerm() > 0);
        if (syncing.reliesOnAnother(hello.history())) {
            syncing.startOver();
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
            session.send(replica.hello(session.dialled));
        }

        @Override
        public void taken(long from, long to) {
            syncing.taken(parts.tail, from, to);
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
        return replica.isOpen() && replica.parts().index.hasRoom(1);
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

    /** The member holds the role, and the logs part at a point below the end of this one. */
    void forked(Verdict.Forked forked, Hello hello) {
        if (replica.state() instanceof ReplicaState.Secondary && forkedLog.isNew(forked)) {
            end();
            forkedLog.decide(forked, hello);
        }
    }

    /** The member holds the role, and the logs have nothing in common. */
    void unrelated(Hello hello) {
        if (trouble == null) {
            trouble("the log of " + hello.replicaName() + " has no epoch in common with this one");
            forkedLog.keepAll(hello);
        }
    }
}
