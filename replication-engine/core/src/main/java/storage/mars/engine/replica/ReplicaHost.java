// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.export.ExportRegistry;
import storage.mars.engine.log.AlignedBuffers;
import storage.mars.engine.log.LogFormat;
import storage.mars.engine.log.LogMemory;
import storage.mars.engine.log.ReplicaMetadata.VolumeShape;
import storage.mars.engine.port.PeerLink;
import storage.mars.engine.port.Ports;
import storage.mars.engine.replica.ReplicaParts.Shared;
import storage.mars.engine.replication.PeerCodec;
import storage.mars.engine.replication.ReceiveMemory;
import storage.mars.engine.volume.IndexMemory;

/**
 * All replicas of one shard, and what an operator can ask of them. Every change may be asked for
 * again: the second time it finds its work done. All methods run on the shard; replies come on it
 * too.
 */
public final class ReplicaHost {

    private static final int STAGING_BUFFERS = 24;

    /** Of the log memory, for what is received and waits. */
    private static final int RECEIVE_PART = 6;

    private final Ports ports;
    private final ReplicaSettings settings;
    private final Shared shared;
    private final ReplicaFiles files;
    private final PeerCodec codec = new PeerCodec();
    private final ReplicaRegistry replicas;
    private final ReplicaBirth birth;
    private final ReplicaRemoval removal;

    /**
     * {@code logMemoryBytes} are for the log windows of all replicas here, and for log that they
     * have received and not yet taken in.
     */
    public ReplicaHost(
            Ports ports, ReplicaSettings settings, ExportRegistry exports, long logMemoryBytes) {
        this.ports = ports;
        this.settings = settings;
        long frames = logMemoryBytes / RECEIVE_PART / LogFormat.MAX_FRAME;
        ReceiveMemory received = new ReceiveMemory(frames * LogFormat.MAX_FRAME);
        this.shared =
                new Shared(
                        ports,
                        new LogMemory(logMemoryBytes - received.limitBytes()),
                        received,
                        new IndexMemory(settings.maxIndexBlocks()),
                        new AlignedBuffers(STAGING_BUFFERS),
                        exports);
        this.files = new ReplicaFiles(ports);
        this.replicas = new ReplicaRegistry(shared, settings, codec);
        this.birth = new ReplicaBirth(ports, settings, codec, files, replicas);
        this.removal = new ReplicaRemoval(ports, settings, files, replicas);
    }

    /**
     * Opens every replica whose name {@code mine} accepts; {@code done} runs when each has reached
     * some state.
     */
    public void openAll(Predicate<String> mine, Reply<Done> done) {
        ports.storage()
                .list(
                        ReplicaFiles.ROOT,
                        (names, failure) -> {
                            if (names == null) {
                                done.refused(
                                        Refusal.storage(
                                                "the data directory cannot be read",
                                                String.valueOf(failure),
                                                NextStep.advice(
                                                        "check the storage of this engine, then"
                                                                + " start it again")));
                                return;
                            }
                            List<String> all = names.stream().filter(mine).toList();
                            int[] open = {all.size() + 1};
                            Runnable one =
                                    () -> {
                                        if (--open[0] == 0) {
                                            done.done(Done.DONE);
                                        }
                                    };
                            all.forEach(name -> openOne(name, one));
                            one.run();
                        });
    }

    private void openOne(String name, Runnable opened) {
        files.kind(
                name,
                kind -> {
                    if (kind == ReplicaFiles.Kind.REPLICA) {
                        replicas.open(name, opened);
                    } else {
                        opened.run();
                    }
                });
    }

    // Looking

    public Collection<String> names() {
        return replicas.names();
    }

    /** What is known of a replica now; null when there is none of that name. */
    public @Nullable ReplicaStatus status(String name) {
        Replica replica = replicas.get(name);
        return replica == null ? null : StatusFactory.status(replica);
    }

    /** {@code watcher} is told the name of every replica that changes, comes or goes. */
    public void watch(Consumer<String> watcher) {
        replicas.watch(watcher);
    }

    public long logMemoryTaken() {
        return shared.memory().takenBytes() + shared.received().takenBytes();
    }

    public long logMemoryLimit() {
        return shared.memory().limitBytes() + shared.received().limitBytes();
    }

    // Peers

    /** Takes over a link whose first message named {@code resource}. */
    public PeerLink.Receiver accept(String resource, PeerLink link) {
        Replica replica = replicas.get(resource);
        if (replica != null && replica.hasMetadata()) {
            return replica.accept(link);
        }
        return new Rejection(
                link,
                codec,
                "no replica of " + resource + " is on engine " + settings.engineName());
    }

    // Coming and going

    /** A new resource, of which this engine becomes the primary. */
    public void create(
            String name, List<VolumeShape> volumes, long logBudgetBytes, Reply<Done> reply) {
        birth.create(name, volumes, logBudgetBytes, reply);
    }

    /** A replica of a resource that other engines have: becomes a secondary and copies. */
    public void join(String name, String from, Reply<Done> reply) {
        birth.join(name, from, reply);
    }

    /**
     * This engine gives up its replica: the primary strikes it off, then its files go. {@code
     * member} names another engine instead, asked of the primary. {@code force} does not wait for a
     * primary that cannot be told. The result is whether there was anything to give up.
     */
    public void leave(String name, String member, boolean force, Reply<Boolean> reply) {
        removal.leave(name, member, force, reply);
    }

    /** Deletes the last replica of a resource. */
    public void delete(String name, Reply<Boolean> reply) {
        removal.delete(name, reply);
    }

    // Roles and switches

    /**
     * Takes the role by plan; when that has not happened within {@code patience} it is given up,
     * and the reply says what was missing.
     */
    public void promote(String name, boolean closeExports, Duration patience, Reply<Done> reply) {
        with(
                name,
                reply,
                replica ->
                        replica.writership().handoverTarget().take(closeExports, patience, reply));
    }

    /** Takes the role by force, in the term after {@code supersedes}. */
    public void promoteByForce(
            String name,
            @Nullable Long supersedes,
            @Nullable Long maxLossBytes,
            Reply<Done> reply) {
        with(
                name,
                reply,
                replica -> new ForcedPromotion(replica, supersedes, maxLossBytes).start(reply));
    }

    /** Lays the role down. */
    public void demote(
            String name, boolean closeExports, @Nullable Long expectedTerm, Reply<Done> reply) {
        with(
                name,
                reply,
                replica ->
                        replica.writership()
                                .handoverSource()
                                .demote(closeExports, expectedTerm, reply));
    }

    /** Log and blocks flow, or not, to and from this replica. */
    public void pauseShipping(String name, boolean paused, Reply<Done> reply) {
        with(name, reply, replica -> PauseSwitch.shipping(replica, paused, reply));
    }

    /** What is received is applied, or not. */
    public void pauseApply(String name, boolean paused, Reply<Done> reply) {
        with(name, reply, replica -> PauseSwitch.apply(replica, paused, reply));
    }

    private void with(String name, Reply<?> reply, Consumer<Replica> action) {
        Replica replica = replicas.get(name);
        if (replica == null) {
            reply.refused(notFound(name));
        } else if (!replica.hasMetadata()) {
            reply.refused(
                    Refusal.precondition(
                            replica.state().name(),
                            name + " cannot be changed",
                            "it is " + replica.state().describe(),
                            NextStep.status(name)));
        } else {
            action.accept(replica);
        }
    }

    public Refusal notFound(String name) {
        return new Refusal(
                Refusal.Kind.NOT_FOUND,
                "NotFound",
                name + " is not known",
                "engine " + settings.engineName() + " has no replica of it",
                NextStep.marsadm("status"));
    }

    /** Stops all replicas, each after what it has acknowledged is safe; nothing is deleted. */
    public void close(Runnable done) {
        List<Replica> all = replicas.all();
        int[] open = {all.size() + 1};
        Runnable one =
                () -> {
                    if (--open[0] == 0) {
                        done.run();
                    }
                };
        all.forEach(replica -> replica.rest("the engine stops", one));
        replicas.clear();
        one.run();
    }
}
