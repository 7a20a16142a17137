// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.export.ResourceExports;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.log.ReplicaMetadata.Fork;
import storage.mars.engine.log.ReplicaMetadata.Member;
import storage.mars.engine.replica.ReplicaStatus.Condition;
import storage.mars.engine.replica.ReplicaStatus.Counters;
import storage.mars.engine.replica.ReplicaStatus.Known;
import storage.mars.engine.replica.ReplicaStatus.LogSpace;
import storage.mars.engine.replica.ReplicaStatus.MemberStatus;
import storage.mars.engine.replica.ReplicaStatus.Positions;
import storage.mars.engine.replica.ReplicaStatus.Sync;
import storage.mars.engine.replication.PeerMessage.Hello;

/** Draws the status of a replica from what it holds. On the shard; changes nothing. */
final class StatusFactory {

    private StatusFactory() {}

    static ReplicaStatus status(Replica replica) {
        Known known = replica.hasMetadata() ? known(replica) : null;
        return new ReplicaStatus(
                replica.name,
                stateName(replica),
                replica.state().reason(),
                known,
                Conditions.of(replica));
    }

    private static String stateName(Replica replica) {
        boolean forked =
                replica.hasMetadata()
                        && replica.current().fork() != null
                        && replica.state() instanceof ReplicaState.Secondary;
        return forked ? "Diverged" : replica.state().name();
    }

    private static Known known(Replica replica) {
        ReplicaMetadata m = replica.current();
        boolean open = replica.isOpen();
        Positions positions = positions(replica);
        Peer primary = LossEstimate.primary(replica);
        String primaryName =
                replica.isPrimary()
                        ? m.identity().replicaName()
                        : primary == null ? "" : primary.name;
        boolean promotable =
                open && !replica.isPrimary() && !m.sync().inconsistent() && m.fork() == null;
        return new Known(
                m.identity().resourceId(),
                m.identity().replicaId(),
                m.identity().replicaName(),
                replica.isPrimary(),
                replica.termInForce(),
                m.history(),
                m.incarnation(),
                !m.sync().inconsistent(),
                positions,
                m.volumes(),
                members(replica, positions),
                primaryName,
                m.switches().shippingPaused(),
                m.switches().applyPaused(),
                log(replica),
                open && replica.parts().exports.isOpen(),
                attachments(replica),
                m.fork(),
                forkedHistory(replica),
                promotable ? LossEstimate.of(replica) : null,
                counters(replica));
    }

    private static List<Integer> attachments(Replica replica) {
        return replica.current().volumes().stream()
                .map(volume ->
                        replica.isOpen() ? replica.parts().exports.attachmentCount(volume.id()) : 0)
                .toList();
    }

    private static EpochHistory forkedHistory(Replica replica) {
        Fork fork = replica.current().fork();
        Peer winner = fork == null ? null : replica.members().get(fork.winnerReplica());
        Hello hello = winner == null ? null : winner.hello;
        return hello == null ? EpochHistory.EMPTY : hello.history();
    }

    private static Positions positions(Replica replica) {
        ReplicaMetadata m = replica.current();
        long checkpoint = m.checkpoint().position();
        if (!replica.isOpen()) {
            return new Positions(m.durableKnown(), m.durableKnown(), checkpoint, checkpoint);
        }
        long durable = replica.parts().tail.durable();
        return new Positions(durable, durable, replica.parts().feed.applied(), checkpoint);
    }

    private static LogSpace log(Replica replica) {
        long budget = replica.current().switches().logBudgetBytes();
        return replica.isOpen()
                ? new LogSpace(
                        replica.parts().segments.usedBytes(),
                        budget,
                        replica.parts().segments.stall())
                : new LogSpace(0, budget, null);
    }

    private static Counters counters(Replica replica) {
        if (!replica.isOpen()) {
            return new Counters(null, 0, 0, 0, false);
        }
        ReplicaParts parts = replica.parts();
        ResourceExports exports = parts.exports;
        long shipped = 0;
        for (Session session : replica.members().sessions()) {
            shipped += session.shipper == null ? 0 : session.shipper.sentBytes();
        }
        return new Counters(
                new StageLatencies(
                        exports.latencies(), parts.writer.latency(), parts.writeBack.latency()),
                parts.writeBack.writtenBytes(),
                parts.index.blocks(),
                shipped,
                exports.isStalled());
    }

    private static List<MemberStatus> members(Replica replica, Positions own) {
        long reference = reference(replica, own);
        List<MemberStatus> members = new ArrayList<>();
        for (Member member : replica.current().members()) {
            Peer peer = replica.members().get(member.id());
            members.add(
                    member.id() == replica.replicaId()
                            ? self(replica, own, reference)
                            : other(replica, member, peer, reference));
        }
        members.sort((a, b) -> a.name().compareTo(b.name()));
        return members;
    }

    /** The primary's durable position as known here. */
    private static long reference(Replica replica, Positions own) {
        Peer primary = LossEstimate.primary(replica);
        Hello hello = primary == null ? null : primary.hello;
        return replica.isPrimary() || hello == null
                ? own.durable()
                : Math.max(own.durable(), hello.durable());
    }

    private static MemberStatus self(Replica replica, Positions own, long reference) {
        ReplicaMetadata m = replica.current();
        boolean inconsistent = m.sync().inconsistent();
        long lag = replica.isPrimary() ? 0 : Math.max(0, reference - own.applied());
        return new MemberStatus(
                replica.replicaId(),
                m.identity().replicaName(),
                replica.settings.advertise(),
                true,
                replica.isPrimary(),
                true,
                stateName(replica),
                m.highestTerm(),
                !inconsistent,
                true,
                own.received(),
                own.applied(),
                lag,
                lag == 0 ? 0 : seconds(replica, own.applied(), reference),
                inconsistent
                        ? new Sync(
                                replica.following().totalBytes(), replica.following().copiedBytes())
                        : null,
                replica.ports.clock().wallMicros());
    }

    private static MemberStatus other(
            Replica replica, Member member, @Nullable Peer peer, long reference) {
        Hello hello = peer == null ? null : peer.hello;
        if (peer == null || hello == null) {
            return new MemberStatus(
                    member.id(),
                    member.name(),
                    member.address(),
                    false,
                    false,
                    false,
                    "",
                    0,
                    false,
                    member.attached(),
                    Peer.UNKNOWN,
                    Peer.UNKNOWN,
                    Peer.UNKNOWN,
                    0,
                    null,
                    0);
        }
        long lag = hello.primary() ? 0 : Math.max(0, reference - peer.applied);
        return new MemberStatus(
                peer.id,
                peer.name,
                peer.address,
                false,
                hello.primary(),
                peer.isConnected(),
                hello.state(),
                hello.highestTerm(),
                hello.consistent(),
                peer.attached,
                peer.received,
                peer.applied,
                lag,
                lag == 0 ? 0 : seconds(replica, peer.applied, reference),
                hello.consistent() ? null : new Sync(hello.syncTotalBytes(), hello.syncedBytes()),
                peer.contactWallMicros);
    }

    private static double seconds(Replica replica, long position, long reference) {
        return replica.lag.ageNanos(position, reference, replica.ports.clock().nanoTime()) / 1e9;
    }

    /** Why something is not as wanted, and the way out. */
    static final class Conditions {

        private final Replica replica;
        private final List<Condition> all = new ArrayList<>();

        private Conditions(Replica replica) {
            this.replica = replica;
        }

        static List<Condition> of(Replica replica) {
            Conditions conditions = new Conditions(replica);
            conditions.ready();
            if (replica.hasMetadata()) {
                conditions.members();
                conditions.history();
                if (replica.isOpen()) {
                    conditions.consistent();
                    conditions.storage();
                    conditions.switches();
                }
            }
            return conditions.all;
        }

        private void add(String type, boolean ok, String reason, String message, String next) {
            all.add(new Condition(type, ok, reason, message, next));
        }

        private void ready() {
            ReplicaState state = replica.state();
            boolean ok =
                    state instanceof ReplicaState.Serving
                            || state instanceof ReplicaState.Secondary;
            String next =
                    switch (state) {
                        case ReplicaState.Failed f ->
                                "restart the engine once its storage works; the log is read again then";
                        case ReplicaState.Corrupt c ->
                                "promote another member, then marsadm leave-resource "
                                        + replica.name
                                        + " --force here and join again";
                        case ReplicaState.DurableLoss d ->
                                "marsadm primary "
                                        + replica.name
                                        + " --force --supersedes-term "
                                        + replica.termInForce()
                                        + ", on the member that has more, or here to give up what is lost";
                        default -> "";
                    };
            add("Ready", ok, state.name(), state.reason(), next);
        }

        private void members() {
            List<String> missing =
                    replica.members().all().stream()
                            .filter(peer -> !peer.isConnected())
                            .map(peer -> peer.name + " at " + peer.address)
                            .toList();
            boolean ok = missing.isEmpty();
            add(
                    "MembersConnected",
                    ok,
                    ok ? "AllConnected" : "NotReached",
                    String.join(", ", missing),
                    "");
            List<String> dropped =
                    replica.members().all().stream()
                            .filter(peer -> !peer.attached)
                            .map(peer -> peer.name)
                            .toList();
            if (!dropped.isEmpty()) {
                add(
                        "MembersAttached",
                        false,
                        "LogBudget",
                        "the log is not kept any more for "
                                + String.join(", ", dropped)
                                + ", which will come back by a sync",
                        "");
            }
        }

        private void history() {
            Fork fork = replica.current().fork();
            String split = replica.writership().splitBrainWith();
            if (fork != null) {
                Peer winner = replica.members().get(fork.winnerReplica());
                String by = winner == null ? "another replica" : winner.name;
                add(
                        "HistoryLinear",
                        false,
                        "Diverged",
                        "fenced: "
                                + by
                                + " is primary in term "
                                + fork.winner().term()
                                + "; this replica holds data behind position "
                                + fork.position()
                                + " that the other history does not have, kept as a branch",
                        "marsadm leave-resource "
                                + replica.name
                                + " gives the branch up, then join again");
            } else if (split != null) {
                add(
                        "HistoryLinear",
                        false,
                        "SplitBrain",
                        split,
                        "marsadm primary "
                                + replica.name
                                + " --force --supersedes-term "
                                + replica.termInForce()
                                + " on the side to be kept");
            } else {
                add("HistoryLinear", true, "OneHistory", "", "");
            }
        }

        private void consistent() {
            boolean ok = !replica.current().sync().inconsistent();
            String trouble = replica.following().trouble();
            add(
                    "Consistent",
                    ok,
                    ok ? "Whole" : "Syncing",
                    ok ? "" : "the images are being copied" + replica.following().whyCopied(),
                    "");
            if (!replica.isPrimary()) {
                boolean follows = replica.following().source() != null && trouble == null;
                add(
                        "Following",
                        follows,
                        follows ? "Pulling" : "NotPulling",
                        trouble == null ? (follows ? "" : "no primary is connected") : trouble,
                        "");
            }
        }

        private void storage() {
            ReplicaParts parts = replica.parts();
            String stall = parts.segments.stall();
            add(
                    "LogSpace",
                    stall == null,
                    stall == null ? "Enough" : "LogFull",
                    stall == null ? "" : stall + "; writers wait",
                    stall == null ? "" : "free space, or bring back the member that is behind");
            String image = parts.writeBack.trouble();
            String trouble = image == null ? parts.checkpointer.trouble() : image;
            String damage = replica.logDamage.words();
            if (trouble == null && damage != null) {
                add("StorageHealthy", false, "LogDamage", damage, "check the disk of this engine");
            } else {
                add(
                        "StorageHealthy",
                        trouble == null,
                        trouble == null ? "Healthy" : "ImageTrouble",
                        trouble == null ? "" : trouble,
                        "");
            }
        }

        private void switches() {
            ReplicaMetadata.Switches switches = replica.current().switches();
            boolean shipping = !switches.shippingPaused();
            add(
                    "Shipping",
                    shipping,
                    shipping ? "On" : "Paused",
                    shipping ? "" : "paused by an operator",
                    shipping ? "" : "marsadm resume-shipping " + replica.name);
            boolean applying = !switches.applyPaused();
            add(
                    "Applying",
                    applying,
                    applying ? "On" : "Paused",
                    applying ? "" : "paused by an operator",
                    applying ? "" : "marsadm resume-apply " + replica.name);
        }
    }
}
