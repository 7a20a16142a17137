// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.Chain;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.log.ReplicaMetadata.Checkpoint;
import storage.mars.engine.log.ReplicaMetadata.Identity;
import storage.mars.engine.log.ReplicaMetadata.Member;
import storage.mars.engine.log.ReplicaMetadata.Role;
import storage.mars.engine.log.ReplicaMetadata.Switches;
import storage.mars.engine.log.ReplicaMetadata.SyncState;
import storage.mars.engine.log.ReplicaMetadata.VolumeShape;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Ports;
import storage.mars.engine.replication.PeerCodec;
import storage.mars.engine.replication.PeerMessage.JoinAccepted;
import storage.mars.engine.replication.PeerMessage.JoinRequest;

/**
 * How a replica comes to be on this engine: as the first of a new resource, or as one more of a
 * resource that others hold. Draws its first metadata, lays down its files and opens it. Owned by
 * the shard.
 */
final class ReplicaBirth {

    private final Ports ports;
    private final ReplicaSettings settings;
    private final PeerCodec codec;
    private final ReplicaFiles files;
    private final ReplicaRegistry replicas;
    private final Set<String> inCreation = new HashSet<>();

    ReplicaBirth(
            Ports ports,
            ReplicaSettings settings,
            PeerCodec codec,
            ReplicaFiles files,
            ReplicaRegistry replicas) {
        this.ports = ports;
        this.settings = settings;
        this.codec = codec;
        this.files = files;
        this.replicas = replicas;
    }

    /** A new resource, of which this engine becomes the primary. */
    void create(String name, List<VolumeShape> volumes, long logBudgetBytes, Reply<Done> reply) {
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
                            "Busy",
                            name + " is not created",
                            "it is being created right now",
                            NextStep.status(name));
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
                        0,
                        false,
                        SyncState.DONE,
                        id(),
                        null,
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
                            NextStep.status(existing.name)));
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
                    Replica replica = replicas.open(name, () -> {});
                    untilSettled(replica, reply);
                });
    }

    private static Refusal creationFailed(String name, IoFailure failure) {
        return Refusal.storage(
                name + " is not created",
                failure,
                NextStep.advice("check the storage of this engine, then repeat it"));
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
                                Refusal.storage(
                                        replica.name + " does not serve",
                                        "it is " + state.describe(),
                                        NextStep.status(replica.name)));
                    }
                };
        replica.watch(watcher[0]);
        watcher[0].run();
    }

    /** A replica of a resource that other engines have: becomes a secondary and copies. */
    void join(String name, String from, Reply<Done> reply) {
        Replica existing = replicas.get(name);
        if (existing != null && existing.hasMetadata() && !existing.isPrimary()) {
            reply.done(Done.DONE);
            return;
        }
        Refusal refusal = joinRefusal(name, existing);
        if (refusal != null) {
            reply.refused(refusal);
            return;
        }
        inCreation.add(name);
        JoinRequest request =
                new JoinRequest(name, id(), settings.engineName(), settings.advertise());
        new Joining(
                        ports,
                        codec,
                        request,
                        accepted -> joined(request, accepted, reply),
                        answer -> {
                            inCreation.remove(name);
                            reply.refused(notAccepted(name, from, RefusedText.parse(answer)));
                        })
                .start(from);
    }

    private @Nullable Refusal joinRefusal(String name, @Nullable Replica existing) {
        String what = name + " is not joined";
        if (existing != null) {
            return Refusal.precondition(
                    "AlreadyExists",
                    what,
                    existing.hasMetadata()
                            ? "this engine is its primary"
                            : "a replica of that name is here, and it is "
                                    + existing.state().describe(),
                    NextStep.status(name));
        }
        if (!ResourceRules.isName(name)) {
            return ResourceRules.badName(what);
        }
        return inCreation.contains(name)
                ? Refusal.precondition(
                        "Busy", what, "it is being joined right now", NextStep.status(name))
                : null;
    }

    private static Refusal notAccepted(String name, String from, RefusedText answer) {
        return Refusal.unavailable(
                "JoinRefused",
                name + " is not joined",
                "engine at " + from + ": " + answer.reason(),
                answer.nextOr(
                        NextStep.marsadm(
                                "join-resource "
                                        + name
                                        + " --from HOST:PORT, with the --peer address of its"
                                        + " primary")));
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
                        a.start(),
                        false,
                        SyncState.FROM_THE_START,
                        a.incarnation(),
                        null,
                        null,
                        null,
                        new Switches(false, Switches.UNLIMITED, ReplicaSettings.DEFAULT_LOG_BUDGET),
                        settings.bootId());
        createFiles(request.resourceName(), first, reply);
    }
}
