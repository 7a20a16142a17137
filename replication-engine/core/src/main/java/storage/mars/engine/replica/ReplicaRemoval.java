// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Ports;
import storage.mars.engine.replication.PeerMessage.Leave;

/**
 * How a replica ends: it leaves its resource, or is deleted as the last one, and what a crash has
 * left of either is cleared away. Nothing is deleted while somebody still holds it. Owned by the
 * shard.
 */
final class ReplicaRemoval {

    private static final long PATIENCE_NANOS = 5_000_000_000L;

    private final Ports ports;
    private final ReplicaSettings settings;
    private final ReplicaFiles files;
    private final ReplicaRegistry replicas;

    /** Given up since the engine started, with files that a failure has kept, maybe unmarked. */
    private final Set<String> kept = new HashSet<>();

    ReplicaRemoval(
            Ports ports, ReplicaSettings settings, ReplicaFiles files, ReplicaRegistry replicas) {
        this.ports = ports;
        this.settings = settings;
        this.files = files;
        this.replicas = replicas;
    }

    /**
     * This engine gives up its replica: the primary strikes it off, then its files go. {@code
     * member} names another engine instead, asked of the primary. {@code force} does not wait for a
     * primary that cannot be told. The result is whether there was anything to give up.
     */
    void leave(String name, String member, boolean force, Reply<Boolean> reply) {
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
                            NextStep.marsadm("secondary " + name)));
            return;
        }
        Session primary = holder(replica);
        if (primary == null && !force && !replica.members().all().isEmpty()) {
            reply.refused(
                    Refusal.unavailable(
                            "MemberUnreachable",
                            name + " is not left",
                            "no primary is reached that could strike this replica off, and its"
                                    + " copy here may be the only one",
                            NextStep.advice(
                                    "look at marsadm status "
                                            + name
                                            + " first; with --force this copy is deleted")));
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
        replica.talk().memberList().whenLeft(go);
        primary.send(new Leave(replica.replicaId()));
        ports.shard().schedule(PATIENCE_NANOS, go);
    }

    private void leaveDamaged(Replica replica, boolean force, Reply<Boolean> reply) {
        if (force) {
            remove(replica, reply);
        } else {
            reply.refused(
                    Refusal.precondition(
                            "Damaged",
                            replica.name + " is not left",
                            "its metadata cannot be read, so nobody can be told: it is "
                                    + replica.state().describe(),
                            NextStep.marsadm("leave-resource " + replica.name + " --force")));
        }
    }

    private void removeMember(Replica replica, String member, Reply<Boolean> reply) {
        if (!replica.hasMetadata() || !replica.isPrimary()) {
            reply.refused(
                    Refusal.precondition(
                            "NotPrimary",
                            member + " is not removed from " + replica.name,
                            "only its primary can do that" + whoIsPrimary(replica),
                            strikeOffAtPrimary(replica, member)));
            return;
        }
        Peer peer = replica.members().named(member);
        if (peer == null) {
            reply.done(false);
        } else {
            replica.talk().memberList().strikeOff(peer.id, () -> reply.done(true));
        }
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
    void delete(String name, Reply<Boolean> reply) {
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
                            NextStep.marsadm(
                                    "leave-resource "
                                            + replica.name
                                            + " --member "
                                            + replica.members().all().iterator().next().name))
                    : Refusal.precondition(
                            "MembersRemain",
                            what,
                            others + " still hold it",
                            NextStep.marsadm("leave-resource " + replica.name));
        }
        if (replica.isOpen() && replica.parts().exports.attachmentCount() > 0) {
            return Refusal.precondition(
                    "ExportsOpen",
                    what,
                    "clients are attached: "
                            + String.join(", ", replica.parts().exports.attached()),
                    NextStep.advice(
                            "disconnect them, then marsadm delete-resource " + replica.name));
        }
        return null;
    }

    private static String whoIsPrimary(Replica replica) {
        Peer primary = replica.hasMetadata() ? LossEstimate.primary(replica) : null;
        return primary == null ? ", which is not known here" : ": " + primary.name;
    }

    private static NextStep strikeOffAtPrimary(Replica replica, String member) {
        Peer primary = replica.hasMetadata() ? LossEstimate.primary(replica) : null;
        return primary == null
                ? NextStep.status(replica.name)
                : NextStep.on(
                        primary.name, "leave-resource " + replica.name + " --member " + member);
    }

    private void deleteRemains(String name, Reply<Boolean> reply) {
        if (!ResourceRules.isName(name)) {
            reply.done(false);
            return;
        }
        files.kind(
                name,
                kind -> {
                    if (kind == ReplicaFiles.Kind.REMAINS || isKept(name, kind)) {
                        files.delete(name, failure -> finish(name, failure, reply));
                    } else {
                        reply.done(false);
                    }
                });
    }

    /** Not so when it was created anew in the meantime. */
    private boolean isKept(String name, ReplicaFiles.Kind kind) {
        return kind == ReplicaFiles.Kind.REPLICA
                && kept.contains(name)
                && replicas.get(name) == null;
    }

    private void remove(Replica replica, Reply<Boolean> reply) {
        replicas.remove(replica.name);
        replica.close(
                replica.name + " is removed from this engine",
                () ->
                        files.delete(
                                replica.name,
                                failure -> {
                                    replicas.changed(replica.name);
                                    finish(replica.name, failure, reply);
                                }));
    }

    private void finish(String name, @Nullable IoFailure failure, Reply<Boolean> reply) {
        if (failure == null) {
            kept.remove(name);
            reply.done(true);
        } else {
            kept.add(name);
            reply.refused(
                    Refusal.storage(
                            name + " is not wholly removed",
                            failure,
                            NextStep.marsadm("delete-resource " + name)));
        }
    }
}
