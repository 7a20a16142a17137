// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.log.MetadataStore;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.log.ReplicaMetadata.Draft;
import storage.mars.engine.log.ReplicaMetadata.Role;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.PeerLink;
import storage.mars.engine.port.Ports;
import storage.mars.engine.port.Shard;
import storage.mars.engine.replica.ReplicaParts.Shared;
import storage.mars.engine.replication.LagClock;
import storage.mars.engine.replication.PeerCodec;
import storage.mars.engine.replication.PeerMessage.Hello;

/**
 * One engine's copy of a resource: opens it, holds its state, and passes what its parts report to
 * those who act on it: {@link Writership} (being and becoming primary), {@link Following} (being
 * secondary), {@link PeerTalk} (what members say). Owned by the shard.
 */
final class Replica implements ReplicaParts.Owner {

    private static final Logger LOGGER = LoggerFactory.getLogger(Replica.class);
    private static final long TICK_NANOS = 1_000_000_000L;
    private static final long SILENCE_NANOS = 6_000_000_000L;
    private static final long CHECKPOINT_NANOS = 20_000_000_000L;
    private static final long MAX_CHECKPOINT_BYTES = 512L << 20;

    final String name;
    final Shared shared;
    final Ports ports;
    final ReplicaSettings settings;
    final String directory;
    final LagClock lag = new LagClock();
    final LogDamage logDamage = new LogDamage(this);
    private final PeerCodec codec;
    private final List<Runnable> watchers = new ArrayList<>();
    private final List<Runnable> onOpened = new ArrayList<>();
    private ReplicaState state = new ReplicaState.Recovering();
    private @Nullable MetadataStore metadata;
    private @Nullable ReplicaParts parts;
    private @Nullable Members members;
    private @Nullable Writership writership;
    private @Nullable Following following;
    private @Nullable PeerTalk talk;
    private Shard.@Nullable Timer timer;
    private long lastCheckpointNanos;
    private boolean reopening;

    Replica(Shared shared, ReplicaSettings settings, PeerCodec codec, String name) {
        this.shared = shared;
        this.ports = shared.ports();
        this.settings = settings;
        this.codec = codec;
        this.name = name;
        this.directory = ReplicaFiles.directory(name);
    }

    // Opening and closing

    /**
     * Opens what is on disk; {@code opened} runs when a state other than Recovering has been
     * reached.
     */
    void open(Runnable opened) {
        onOpened.add(opened);
        MetadataStore.open(
                ports,
                directory + "/meta",
                outcome -> {
                    switch (outcome) {
                        case MetadataStore.Opened.Good good -> begin(good.store());
                        case MetadataStore.Opened.Unusable unusable ->
                                transition(new ReplicaState.Corrupt(unusable.reason()));
                    }
                });
    }

    private void begin(MetadataStore store) {
        metadata = store;
        lastCheckpointNanos = ports.clock().nanoTime();
        PeerTalk conversation = new PeerTalk(this);
        Members all =
                new Members(
                        ports,
                        codec,
                        store.current().identity().replicaId(),
                        conversation,
                        conversation::greet);
        all.set(store.current().members());
        talk = conversation;
        members = all;
        writership = new Writership(this);
        following = new Following(this);
        timer = ports.shard().schedule(TICK_NANOS, this::tick);
        openParts();
    }

    private void openParts() {
        transition(new ReplicaState.Recovering());
        new ReplicaOpening(
                        shared,
                        directory,
                        metadata(),
                        this::retained,
                        this,
                        new ReplicaOpening.Outcome() {

                            @Override
                            public void opened(ReplicaParts opened) {
                                Replica.this.opened(opened);
                            }

                            @Override
                            public void corrupt(String reason) {
                                transition(new ReplicaState.Corrupt(reason));
                            }

                            @Override
                            public void failed(String reason) {
                                transition(new ReplicaState.Failed(reason));
                            }
                        })
                .start();
    }

    private void opened(ReplicaParts opened) {
        if (state instanceof ReplicaState.Closed) {
            opened.stop("the replica has been closed", () -> {});
            return;
        }
        parts = opened;
        reopening = false;
        opened.writeBack.wake();
        opened.tail.whenRoom(() -> ports.shard().execute(this::room));
        opened.segments.onStall(this::makeSpace);
        if (current().role() == Role.PRIMARY) {
            writership().resume();
        } else {
            following().begin();
        }
        members().dialMissing();
        talk().helloAll();
        talk().judgeAll();
    }

    /**
     * Stops all parts, changes the metadata, and opens again with what it says then: the one way of
     * every change that takes a role away or cuts the log.
     */
    void reopen(String why, Consumer<Draft> change) {
        if (reopening) {
            return;
        }
        reopening = true;
        LOGGER.atInfo()
                .addKeyValue("resource", name)
                .addKeyValue("reason", why)
                .log("replica starts over");
        transition(new ReplicaState.Recovering());
        members().sessions().forEach(Session::endStreams);
        following().end();
        ReplicaParts old = parts;
        parts = null;
        Runnable next =
                () ->
                        metadata()
                                .update(
                                        change,
                                        failure -> {
                                            if (failure != null) {
                                                metadataFailed(failure);
                                            } else {
                                                openParts();
                                            }
                                        });
        if (old == null) {
            next.run();
        } else {
            old.stop(why, next);
        }
    }

    /**
     * Stops everything and closes the files; {@code done} runs when nothing touches them any more.
     */
    void close(String why, Runnable done) {
        transition(new ReplicaState.Closed());
        if (writership != null) {
            writership.abandon(why);
        }
        Shard.Timer ticking = timer;
        if (ticking != null) {
            ticking.cancel();
        }
        Members all = members;
        if (all != null) {
            all.closeAll();
        }
        Following f = following;
        if (f != null) {
            f.end();
        }
        ReplicaParts old = parts;
        parts = null;
        Runnable last =
                () -> {
                    MetadataStore store = metadata;
                    if (store != null) {
                        store.close();
                    }
                    done.run();
                };
        if (old == null) {
            last.run();
        } else {
            old.stop(why, last);
        }
    }

    // State

    ReplicaState state() {
        return state;
    }

    void transition(ReplicaState next) {
        if (state instanceof ReplicaState.Closed) {
            return;
        }
        boolean named = !next.name().equals(state.name());
        state = next;
        if (named) {
            var log =
                    next instanceof ReplicaState.Failed
                                    || next instanceof ReplicaState.Corrupt
                                    || next instanceof ReplicaState.DurableLoss
                            ? LOGGER.atError()
                            : LOGGER.atInfo();
            log.addKeyValue("resource", name)
                    .addKeyValue("state", next.name())
                    .log("{}", next.reason());
        }
        if (!(next instanceof ReplicaState.Recovering)) {
            List<Runnable> told = List.copyOf(onOpened);
            onOpened.clear();
            told.forEach(Runnable::run);
        }
        changed();
    }

    /** Something that status shows has changed. */
    void changed() {
        List.copyOf(watchers).forEach(Runnable::run);
    }

    void watch(Runnable watcher) {
        watchers.add(watcher);
    }

    void unwatch(Runnable watcher) {
        watchers.remove(watcher);
    }

    /** Runs {@code task} when a state other than Recovering is reached. */
    void whenOpened(Runnable task) {
        onOpened.add(task);
    }

    boolean isOpen() {
        return parts != null;
    }

    boolean hasMetadata() {
        return metadata != null;
    }

    ReplicaParts parts() {
        return require(parts, "parts");
    }

    MetadataStore metadata() {
        return require(metadata, "metadata");
    }

    ReplicaMetadata current() {
        return metadata().current();
    }

    Members members() {
        return require(members, "members");
    }

    Writership writership() {
        return require(writership, "writership");
    }

    Following following() {
        return require(following, "following");
    }

    PeerTalk talk() {
        return require(talk, "talk");
    }

    long replicaId() {
        return current().identity().replicaId();
    }

    boolean isPrimary() {
        return current().role() == Role.PRIMARY;
    }

    /**
     * The right to write that was laid down here for whoever asks; null when there is none, or a
     * higher term has made it void.
     */
    ReplicaMetadata.@Nullable Grant openGrant() {
        ReplicaMetadata m = current();
        ReplicaMetadata.Grant grant = m.grant();
        boolean open =
                grant != null
                        && grant.toReplica() == ReplicaMetadata.Grant.ANYBODY
                        && grant.term() > m.highestTerm()
                        && m.role() != Role.PRIMARY;
        return open ? grant : null;
    }

    /** The highest term heard of, or given away from here to somebody in particular. */
    long termInForce() {
        ReplicaMetadata m = current();
        ReplicaMetadata.Grant grant = m.grant();
        boolean given = grant != null && grant.toReplica() != ReplicaMetadata.Grant.ANYBODY;
        return given && grant != null ? Math.max(m.highestTerm(), grant.term()) : m.highestTerm();
    }

    private <T> T require(@Nullable T value, String what) {
        if (value == null) {
            throw new IllegalStateException(
                    "replica " + name + " has no " + what + " in state " + state.name());
        }
        return value;
    }

    /** What this replica says of itself. */
    Hello hello(boolean dialled) {
        ReplicaMetadata m = current();
        ReplicaParts p = parts;
        long durable = p == null ? m.durableKnown() : p.tail.durable();
        long checkpoint = m.checkpoint().position();
        ReplicaMetadata.Grant open = openGrant();
        return new Hello(
                dialled,
                m.identity().resourceId(),
                name,
                m.identity().replicaId(),
                m.identity().replicaName(),
                settings.advertise(),
                m.role() == Role.PRIMARY && p != null,
                state.name(),
                m.highestTerm(),
                open == null ? 0 : open.term(),
                m.incarnation(),
                m.history(),
                durable,
                p == null ? checkpoint : p.feed.applied(),
                checkpoint,
                !m.sync().inconsistent(),
                following().syncing().copiedBytes(),
                following().syncing().totalBytes(),
                m.switches().shippingPaused(),
                ports.clock().wallMicros(),
                m.members());
    }

    PeerLink.Receiver accept(PeerLink link) {
        return new Session(link, false, codec, talk());
    }

    private long retained() {
        ReplicaParts p = parts;
        ReplicaMetadata.Fork fork = current().fork();
        long branch = fork == null ? Long.MAX_VALUE : fork.position();
        if (p == null) {
            return 0;
        }
        if (!isPrimary() && p.segments.stall() != null) {
            return branch;
        }
        return Math.min(branch, members().slowest(p.segments.start()));
    }

    // Time

    private void tick() {
        timer = ports.shard().schedule(TICK_NANOS, this::tick);
        members().closeSilent(SILENCE_NANOS);
        members().dialMissing();
        talk().helloAll();
        ReplicaParts p = parts;
        if (p != null) {
            lag.sample(p.tail.durable(), ports.clock().nanoTime());
            writership().tick();
            following().tick();
            p.checkpointer.releaseSegments();
            checkpointIfDue(p);
            p.tail.releaseIdleMemory();
            p.index.trimWhenIdle();
        }
    }

    private void checkpointIfDue(ReplicaParts p) {
        long now = ports.clock().nanoTime();
        if (isFarFromCheckpoint(p) || now - lastCheckpointNanos >= CHECKPOINT_NANOS) {
            lastCheckpointNanos = now;
            p.checkpointer.start();
            p.segments.trim();
        }
    }

    /**
     * Each checkpoint syncs the images, which competes with the log for the disk; a long way
     * between them costs time at recovery and room in the log.
     */
    private boolean isFarFromCheckpoint(ReplicaParts p) {
        long distance = Math.min(MAX_CHECKPOINT_BYTES, p.segments.budgetBytes() / 4);
        return p.checkpointer.isFar(distance);
    }

    // What the parts report

    @Override
    public void beforeWrite() {
        ReplicaParts p = parts;
        if (p != null) {
            p.builder.seal();
        }
    }

    @Override
    public void durable(long from, long to) {
        ReplicaParts p = parts;
        if (p == null) {
            return;
        }
        p.feed.advance();
        if (isPrimary()) {
            p.exports.durable(to);
            writership().durable(to);
        } else {
            following().durable(to);
        }
        lag.sample(to, ports.clock().nanoTime());
        members().logGrew();
    }

    @Override
    public void logFailed(IoFailure failure) {
        String reason = "the log cannot be written: " + failure.message();
        ReplicaParts p = parts;
        if (p != null) {
            p.exports.fail(reason);
            p.writeBack.stop();
            p.checkpointer.stop();
        }
        transition(new ReplicaState.Failed(reason));
        if (writership != null) {
            writership.abandon(reason);
        }
    }

    @Override
    public void fed() {
        ReplicaParts p = parts;
        if (p != null) {
            p.writeBack.wake();
            p.checkpointer.refed();
            writership().fed();
        }
    }

    @Override
    public void logDamaged(String reason) {
        logFailed(new IoFailure(IoFailure.Kind.IO_ERROR, reason));
    }

    @Override
    public void wroteBack() {
        ReplicaParts p = parts;
        if (p != null) {
            p.checkpointer.drained();
            if (isFarFromCheckpoint(p)) {
                p.checkpointer.start();
            }
            room();
        }
    }

    /** Index, window or prepared log may have room again. */
    void room() {
        ReplicaParts p = parts;
        if (p != null) {
            writership().retry();
            p.exports.roomAppeared();
            following().room();
        }
    }

    @Override
    public void checkpointed() {
        makeSpace();
        room();
    }

    /** No segment can be prepared: lets go of what holds the log back. */
    private void makeSpace() {
        if (parts != null) {
            talk().memberList().makeSpace();
        }
    }

    @Override
    public void metadataFailed(IoFailure failure) {
        logFailed(
                new IoFailure(
                        failure.kind(), "the metadata cannot be written: " + failure.message()));
    }
}
