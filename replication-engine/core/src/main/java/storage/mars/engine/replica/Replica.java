// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.log.FrameView;
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

/**
 * One engine's copy of a resource: opens and closes it and holds its state. While it is open {@link
 * Running} has its parts; {@link Writership} (being and becoming primary), {@link Following} (being
 * secondary) and {@link PeerTalk} (what members say) act on it. Owned by the shard.
 */
final class Replica {

    private static final Logger LOGGER = LoggerFactory.getLogger(Replica.class);
    private static final long TICK_NANOS = 1_000_000_000L;
    private static final long SILENCE_NANOS = 6_000_000_000L;

    final String name;
    final Shared shared;
    final Ports ports;
    final ReplicaSettings settings;
    final String directory;
    final LagClock lag = new LagClock();
    final OfferedTerm offered = new OfferedTerm(this);
    final LogDamage logDamage = new LogDamage(this);
    private final PeerCodec codec;
    private final List<Runnable> watchers = new ArrayList<>();
    private final List<Runnable> onOpened = new ArrayList<>();
    private ReplicaState state = new ReplicaState.Recovering();
    private @Nullable MetadataStore metadata;
    private @Nullable ReplicaParts parts;
    private @Nullable Running running;
    private @Nullable Members members;
    private @Nullable Writership writership;
    private @Nullable Following following;
    private @Nullable PeerTalk talk;
    private Shard.@Nullable Timer timer;
    private boolean opening;
    private @Nullable Runnable whenLetGo;

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
        opening = true;
        MetadataStore.open(
                ports,
                directory + "/meta",
                outcome -> {
                    switch (outcome) {
                        case MetadataStore.Opened.Good good -> begin(good.store());
                        case MetadataStore.Opened.Unusable unusable ->
                                notOpened(new ReplicaState.Corrupt(unusable.reason()));
                    }
                });
    }

    private void begin(MetadataStore store) {
        metadata = store;
        if (isLetGo()) {
            return;
        }
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
                        new ReplicaOpening.Outcome() {

                            @Override
                            public void recovered(FrameView frame) {
                                offered.frame(frame);
                            }

                            @Override
                            public void opened(ReplicaParts opened) {
                                Replica.this.opened(opened);
                            }

                            @Override
                            public void corrupt(String reason) {
                                notOpened(new ReplicaState.Corrupt(reason));
                            }

                            @Override
                            public void failed(String reason) {
                                notOpened(new ReplicaState.Failed(reason));
                            }
                        })
                .start();
    }

    private void opened(ReplicaParts opened) {
        if (state instanceof ReplicaState.Closed) {
            opened.stop("the replica has been closed", this::isLetGo);
            return;
        }
        opening = false;
        parts = opened;
        Running runs = new Running(this, opened);
        running = runs;
        runs.start();
        if (current().role() == Role.PRIMARY) {
            writership().resume();
        } else {
            following().begin();
        }
        members().dialMissing();
        talk().helloAll();
        talk().judgeAll();
    }

    private void notOpened(ReplicaState why) {
        if (!isLetGo()) {
            opening = false;
            transition(why);
        }
    }

    /** Whether it was closed while it was being opened; who waits for that goes on then. */
    private boolean isLetGo() {
        Runnable waiting = whenLetGo;
        whenLetGo = null;
        if (waiting != null) {
            waiting.run();
        }
        return state instanceof ReplicaState.Closed;
    }

    /**
     * Stops all parts, changes the metadata, and opens again with what it says then: the one way of
     * every change that takes a role away or cuts the log.
     */
    void reopen(String why, Consumer<Draft> change) {
        if (opening) {
            return;
        }
        opening = true;
        LOGGER.atInfo()
                .addKeyValue("resource", name)
                .addKeyValue("reason", why)
                .log("replica starts over");
        transition(new ReplicaState.Recovering());
        members().sessions().forEach(Session::endStreams);
        following().end();
        ReplicaParts old = releaseParts();
        if (old == null) {
            change(change);
        } else {
            old.stop(why, () -> change(change));
        }
    }

    private void change(Consumer<Draft> change) {
        if (isLetGo()) {
            return;
        }
        metadata()
                .update(
                        change,
                        failure -> {
                            if (failure != null) {
                                metadataFailed(failure);
                            }
                            if (isLetGo() || failure != null) {
                                opening = false;
                            } else {
                                openParts();
                            }
                        });
    }

    /** From here on nothing that the parts report comes to those who act on this replica. */
    private @Nullable ReplicaParts releaseParts() {
        Running runs = running;
        if (runs != null) {
            runs.end();
        }
        running = null;
        ReplicaParts old = parts;
        parts = null;
        return old;
    }

    /**
     * Stops everything and closes the files; {@code done} runs when nothing touches them any more.
     */
    void close(String why, Runnable done) {
        ReplicaParts old = retire(why);
        if (old == null) {
            closeUnopened(done);
        } else {
            old.stop(why, () -> closeMetadata(done));
        }
    }

    /** The engine stops: as {@link #close}, but in a way that makes the next start short. */
    void rest(String why, Runnable done) {
        boolean sound = !(state instanceof ReplicaState.Failed);
        ReplicaParts old = retire(why);
        if (old == null) {
            closeUnopened(done);
        } else if (sound) {
            new PlannedStop(old, metadata(), ports.shard(), why, () -> closeMetadata(done)).start();
        } else {
            old.stop(why, () -> closeMetadata(done));
        }
    }

    /** Acts on nothing and answers nobody any more. */
    private @Nullable ReplicaParts retire(String why) {
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
        return releaseParts();
    }

    /** What is under way of an opening ends first. */
    private void closeUnopened(Runnable done) {
        if (opening) {
            whenLetGo = () -> closeMetadata(done);
        } else {
            closeMetadata(done);
        }
    }

    private void closeMetadata(Runnable done) {
        MetadataStore store = metadata;
        if (store == null) {
            done.run();
        } else {
            store.close(done);
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

    private <T> T require(@Nullable T value, String what) {
        if (value == null) {
            throw new IllegalStateException(
                    "replica " + name + " has no " + what + " in state " + state.name());
        }
        return value;
    }

    PeerLink.Receiver accept(PeerLink link) {
        return new Session(link, false, codec, talk());
    }

    // Time

    private void tick() {
        timer = ports.shard().schedule(TICK_NANOS, this::tick);
        members().closeSilent(SILENCE_NANOS);
        members().dialMissing();
        talk().helloAll();
        Running runs = running;
        if (runs != null) {
            runs.tick();
        }
    }

    // Storage that fails

    /** Nothing is promised any more, and nothing accepted. */
    void fail(String reason) {
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

    void metadataFailed(IoFailure failure) {
        fail("the metadata cannot be written: " + failure.message());
    }
}
