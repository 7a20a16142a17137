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
                Terms.inForce(replica.current()),
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
            return new Counters(null, null, 0, 0, 0, false);
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
                exports.traffic(),
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
                                replica.following().syncing().totalBytes(),
                                replica.following().syncing().copiedBytes())
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
}
