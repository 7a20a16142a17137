// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.export.ExportRegistry;
import storage.mars.engine.log.AlignedBuffers;
import storage.mars.engine.log.Chain;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.LogFormat;
import storage.mars.engine.log.LogMemory;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.log.ReplicaMetadata.Checkpoint;
import storage.mars.engine.log.ReplicaMetadata.Identity;
import storage.mars.engine.log.ReplicaMetadata.Member;
import storage.mars.engine.log.ReplicaMetadata.Role;
import storage.mars.engine.log.ReplicaMetadata.Switches;
import storage.mars.engine.log.ReplicaMetadata.SyncState;
import storage.mars.engine.log.ReplicaMetadata.VolumeShape;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.PeerLink;
import storage.mars.engine.port.Ports;
import storage.mars.engine.replica.ReplicaParts.Shared;
import storage.mars.engine.replication.PeerCodec;
import storage.mars.engine.replication.PeerMessage.JoinAccepted;
import storage.mars.engine.replication.PeerMessage.JoinRequest;
import storage.mars.engine.replication.PeerMessage.Leave;
import storage.mars.engine.replication.ReceiveMemory;

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
    private final TreeMap<String, Replica> replicas = new TreeMap<>();
    private final Set<String> inCreation = new HashSet<>();
    private final List<Consumer<String>> watchers = new ArrayList<>();

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
                        new AlignedBuffers(STAGING_BUFFERS),
                        exports);
        this.files = new ReplicaFiles(ports);
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
                                                String.valueOf(failure)));
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
                        open(name, opened);
                    } else {
                        opened.run();
                    }
                });
    }

    private Replica open(String name, Runnable opened) {
        Replica replica = new Replica(shared, settings, codec, name);
        replicas.put(name, replica);
        replica.watch(() -> watchers.forEach(watcher -> watcher.accept(name)));
        replica.open(opened);
        return replica;
    }

    // Looking

    public Collection<String> names() {
        return List.copyOf(replicas.keySet());
    }

    /** What is known of a replica now; null when there is none of that name. */
    public @Nullable ReplicaStatus status(String name) {
        Replica replica = replicas.get(name);
        return replica == null ? null : StatusFactory.status(replica);
    }

    /** {@code watcher} is told the name of every replica that changes, comes or goes. */
    public void watch(Consumer<String> watcher) {
        watchers.add(watcher);
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

    // Creating

    /** A new resource, of which this engine becomes the primary. */
    public void create(
            String name, List<VolumeShape> volumes, long logBudgetBytes, Reply<Done> reply) {
        Refusal refusal =
                ResourceRules.check(name, volumes, logBudgetBytes, settings.segmentBytes());
        Replica existing = replicas.get(name);
        if (refusal == null && existing != null) {
            sameOrRefused(existing, volumes, reply);
            return;
        }
        if (refusal == null && !inCreation.add(name)) {
            refusal =
                    Refusal.precondition(
                            "Busy", name + " is not created", "it is being created right now", "");
        }
        if (refusal != null) {
            reply.refused(refusal);
            return;
        }
        long self = id();
        Identity identity =
                new Identity(id(), name, settings.segmentBytes(), self, settings.engineName());
        long budget = logBudgetBytes == 0 ? ReplicaSettings.DEFAULT_LOG_BUDGET : logBudgetBytes;
        ReplicaMetadata first =
                new ReplicaMetadata(
                        identity,
                        volumes,
                        List.of(
                                new Member(
                                        self, settings.engineName(), settings.advertise(), true)),
                        Role.PRIMARY,
                        EpochHistory.EMPTY,
                        0,
                        new Checkpoint(0, Chain.Link.START),
                        0,
                        SyncState.DONE,
                        id(),
                        null,
                        null,
                        new Switches(false, Switches.UNLIMITED, budget),
                        settings.bootId());
        createFiles(name, first, reply);
    }

    private void sameOrRefused(Replica existing, List<VolumeShape> volumes, Reply<Done> reply) {
        if (existing.hasMetadata() && existing.current().volumes().equals(volumes)) {
            reply.done(Done.DONE);
        } else {
            reply.refused(
                    new Refusal(
                            Refusal.Kind.ALREADY_EXISTS,
                            "AlreadyExists",
                            existing.name + " is not created",
                            existing.hasMetadata()
                                    ? "it is here already, with volumes "
                                            + ResourceRules.describe(existing.current().volumes())
                                    : "a replica of that name is here, in state "
                                            + existing.state().name(),
                            "marsadm status " + existing.name));
        }
    }

    private long id() {
        long id = ports.entropy().nextLong();
        return id == 0 ? 1 : id;
    }

    private void createFiles(String name, ReplicaMetadata first, Reply<Done> reply) {
        files.create(
                name,
                first,
                failure -> {
                    inCreation.remove(name);
                    if (failure != null) {
                        files.delete(name, ignored -> reply.refused(creationFailed(name, failure)));
                        return;
                    }
                    Replica replica = open(name, () -> {});
                    untilSettled(replica, reply);
                });
    }

    private static Refusal creationFailed(String name, IoFailure failure) {
        return Refusal.storage(name + " is not created", failure);
    }

    /** A created primary has its first epoch before the answer. */
    private void untilSettled(Replica replica, Reply<Done> reply) {
        Runnable[] watcher = {() -> {}};
        watcher[0] =
                () -> {
                    ReplicaState state = replica.state();
                    if (state instanceof ReplicaState.Serving
                            || state instanceof ReplicaState.Secondary) {
                        replica.unwatch(watcher[0]);
                        reply.done(Done.DONE);
                    } else if (state instanceof ReplicaState.Failed
                            || state instanceof ReplicaState.Corrupt) {
                        replica.unwatch(watcher[0]);
                        reply.refused(
                                Refusal.storage(replica.name + " does not serve", state.reason()));
                    }
                };
        replica.watch(watcher[0]);
        watcher[0].run();
    }

    /** A replica of a resource that other engines have: becomes a secondary and copies. */
    public void join(String name, String from, Reply<Done> reply) {
        Replica existing = replicas.get(name);
        if (existing != null && existing.hasMetadata() && !existing.isPrimary()) {
            reply.done(Done.DONE);
            return;
        }
        if (existing != null || !ResourceRules.isName(name) || !inCreation.add(name)) {
            reply.refused(
                    existing != null
                            ? Refusal.precondition(
                                    "AlreadyExists",
                                    name + " is not joined",
                                    "this engine has it already, as primary or damaged",
                                    "marsadm status " + name)
                            : Refusal.invalid(
                                    name + " is not joined",
                                    "the name is not valid, or it is being joined now"));
            return;
        }
        JoinRequest request =
                new JoinRequest(name, id(), settings.engineName(), settings.advertise());
        new Joining(
                        ports,
                        codec,
                        request,
                        accepted -> joined(request, accepted, reply),
                        reason -> {
                            inCreation.remove(name);
                            reply.refused(
                                    Refusal.unavailable(
                                            "JoinRefused",
                                            name + " is not joined",
                                            "engine at " + from + ": " + reason,
                                            ""));
                        })
                .start(from);
    }

    private void joined(JoinRequest request, JoinAccepted a, Reply<Done> reply) {
        Refusal refusal = ResourceRules.checkJoined(request.resourceName(), a);
        if (refusal != null) {
            inCreation.remove(request.resourceName());
            reply.refused(refusal);
            return;
        }

        Identity identity =
                new Identity(
                        a.resourceId(),
                        a.resourceName(),
                        a.segmentBytes(),
                        request.replicaId(),
                        settings.engineName());
        ReplicaMetadata first =
                new ReplicaMetadata(
                        identity,
                        a.volumes(),
                        a.members(),
                        Role.SECONDARY,
                        a.history(),
                        a.highestTerm(),
                        new Checkpoint(a.start(), a.link()),
                        a.start(),
                        SyncState.FROM_THE_START,
                        a.incarnation(),
                        null,
                        null,
                        new Switches(false, Switches.UNLIMITED, ReplicaSettings.DEFAULT_LOG_BUDGET),
                        settings.bootId());
        createFiles(request.resourceName(), first, reply);
    }

    // Ending

    /**
     * This engine gives up its replica: the primary strikes it off, then its files go. {@code
     * member} names another engine instead, asked of the primary. {@code force} does not wait for a
     * primary that cannot be told. The result is whether there was anything to give up.
     */
    public void leave(String name, String member, boolean force, Reply<Boolean> reply) {
        Replica replica = replicas.get(name);
        if (replica == null) {
            deleteRemains(name, reply);
            return;
        }
        if (!member.isEmpty() && !member.equals(settings.engineName())) {
            removeMember(replica, member, reply);
            return;
        }
        if (!replica.hasMetadata()) {
            leaveDamaged(replica, force, reply);
            return;
        }
        if (replica.isPrimary() && replica.isOpen() && !force) {
            reply.refused(
                    Refusal.precondition(
                            "IsPrimary",
                            name + " is not left",
                            "this engine is its primary",
                            "marsadm secondary " + name));
            return;
        }
        Session primary = holder(replica);
        if (primary == null && !force && !replica.members().all().isEmpty()) {
            reply.refused(
                    Refusal.unavailable(
                            "MemberUnreachable",
                            name + " is not left",
                            "no primary is reached that could strike this replica off",
                            "marsadm leave-resource " + name + " --force"));
            return;
        }
        if (primary == null) {
            remove(replica, reply);
            return;
        }
        boolean[] told = {false};
        Runnable go =
                () -> {
                    if (!told[0]) {
                        told[0] = true;
                        remove(replica, reply);
                    }
                };
        replica.following().whenLeft(go);
        primary.send(new Leave(replica.replicaId()));
        ports.shard().schedule(5_000_000_000L, go);
    }

    private void leaveDamaged(Replica replica, boolean force, Reply<Boolean> reply) {
        if (force) {
            remove(replica, reply);
        } else {
            reply.refused(
                    Refusal.precondition(
                            "Damaged",
                            replica.name + " is not left",
                            "its metadata cannot be read, so nobody can be told: "
                                    + replica.state().reason(),
                            "marsadm leave-resource " + replica.name + " --force"));
        }
    }

    private void removeMember(Replica replica, String member, Reply<Boolean> reply) {
        if (!replica.hasMetadata() || !replica.isPrimary()) {
            reply.refused(
                    Refusal.precondition(
                            "NotPrimary",
                            member + " is not removed from " + replica.name,
                            "only the primary can do that",
                            "marsadm status " + replica.name));
            return;
        }
        for (Peer peer : replica.members().all()) {
            if (peer.name.equals(member)) {
                replica.talk().strikeOff(peer.id, () -> reply.done(true));
                return;
            }
        }
        reply.done(false);
    }

    private static @Nullable Session holder(Replica replica) {
        for (Session session : replica.members().sessions()) {
            Peer peer = session.peer;
            if (peer != null && peer.hello != null && peer.hello.primary()) {
                return session;
            }
        }
        return null;
    }

    /** Deletes the last replica of a resource. */
    public void delete(String name, Reply<Boolean> reply) {
        Replica replica = replicas.get(name);
        if (replica == null) {
            deleteRemains(name, reply);
            return;
        }
        Refusal refusal = replica.hasMetadata() ? deleteRefusal(replica) : null;
        if (refusal != null) {
            reply.refused(refusal);
        } else {
            remove(replica, reply);
        }
    }

    private static @Nullable Refusal deleteRefusal(Replica replica) {
        String what = replica.name + " is not deleted";
        if (!replica.members().all().isEmpty()) {
            String others =
                    String.join(
                            ", ", replica.members().all().stream().map(peer -> peer.name).toList());
            return replica.isPrimary()
                    ? Refusal.precondition(
                            "MembersRemain",
                            what,
                            others + " still hold it and have to leave first",
                            "marsadm leave-resource "
                                    + replica.name
                                    + " --member "
                                    + replica.members().all().iterator().next().name)
                    : Refusal.precondition(
                            "MembersRemain",
                            what,
                            others + " still hold it",
                            "marsadm leave-resource " + replica.name);
        }
        if (replica.isOpen() && replica.parts().exports.attachmentCount() > 0) {
            return Refusal.precondition(
                    "ExportsOpen",
                    what,
                    "clients are attached: " + String.join(", ", replica.parts().exports.writers()),
                    "");
        }
        return null;
    }

    private void deleteRemains(String name, Reply<Boolean> reply) {
        if (!ResourceRules.isName(name)) {
            reply.done(false);
            return;
        }
        files.kind(
                name,
                kind -> {
                    if (kind == ReplicaFiles.Kind.REMAINS) {
                        files.delete(name, failure -> finish(name, failure, reply));
                    } else {
                        reply.done(false);
                    }
                });
    }

    private void remove(Replica replica, Reply<Boolean> reply) {
        replicas.remove(replica.name);
        replica.close(
                replica.name + " is removed from this engine",
                () ->
                        files.delete(
                                replica.name,
                                failure -> {
                                    watchers.forEach(watcher -> watcher.accept(replica.name));
                                    finish(replica.name, failure, reply);
                                }));
    }

    private static void finish(String name, @Nullable IoFailure failure, Reply<Boolean> reply) {
        if (failure == null) {
            reply.done(true);
        } else {
            reply.refused(Refusal.storage(name + " is not wholly removed", failure));
        }
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
                replica -> replica.writership().handover().take(closeExports, patience, reply));
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
                replica -> replica.writership().handover().force(supersedes, maxLossBytes, reply));
    }

    /** Lays the role down. */
    public void demote(
            String name, boolean closeExports, @Nullable Long expectedTerm, Reply<Done> reply) {
        with(
                name,
                reply,
                replica ->
                        replica.writership().handover().demote(closeExports, expectedTerm, reply));
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
                            replica.state().reason(),
                            "marsadm status " + name));
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
                "marsadm status");
    }

    /** Stops all replicas, each after what it has acknowledged is safe; nothing is deleted. */
    public void close(Runnable done) {
        int[] open = {replicas.size() + 1};
        Runnable one =
                () -> {
                    if (--open[0] == 0) {
                        done.run();
                    }
                };
        List.copyOf(replicas.values()).forEach(replica -> replica.close("the engine stops", one));
        replicas.clear();
        one.run();
    }
}
