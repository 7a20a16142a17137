// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.control;

import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.api.v1.Acknowledgement;
import storage.mars.engine.api.v1.Branch;
import storage.mars.engine.api.v1.Condition;
import storage.mars.engine.api.v1.DataLoss;
import storage.mars.engine.api.v1.Epoch;
import storage.mars.engine.api.v1.Export;
import storage.mars.engine.api.v1.Fork;
import storage.mars.engine.api.v1.LogFull;
import storage.mars.engine.api.v1.LogSpace;
import storage.mars.engine.api.v1.Policies;
import storage.mars.engine.api.v1.Positions;
import storage.mars.engine.api.v1.Replica;
import storage.mars.engine.api.v1.Role;
import storage.mars.engine.api.v1.Volume;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.ReplicaMetadata.VolumeShape;
import storage.mars.engine.replica.LossEstimate;
import storage.mars.engine.replica.ReplicaStatus;
import storage.mars.engine.replica.ReplicaStatus.Known;

/** The one place where what core knows of a replica becomes what the control API says of it. */
final class ReplicaView {

    private static final HexFormat HEX = HexFormat.of();

    private final String engine;
    private final ExportUris uris;
    private final SyncRates rates = new SyncRates();

    ReplicaView(String engine, ExportUris uris) {
        this.engine = engine;
        this.uris = uris;
    }

    Replica of(ReplicaStatus status) {
        Replica.Builder replica =
                Replica.newBuilder()
                        .setName(status.name())
                        .setReplica(engine)
                        .setState(status.state())
                        .setObservedAt(ProtoTime.of(Instant.now()));
        status.conditions().forEach(condition -> replica.addConditions(of(condition)));
        Known known = status.known();
        if (known != null) {
            fill(replica, status.name(), known);
        }
        return replica.build();
    }

    private void fill(Replica.Builder replica, String name, Known known) {
        LongFunction<String> names = id -> memberName(known, id);
        replica.setId(hex(known.resourceId()))
                .setReplica(known.replicaName())
                .setReplicaId(hex(known.replicaId()))
                .setRole(role(known.primary()))
                .setTerm(known.highestTerm())
                .setIncarnation(hex(known.incarnation()))
                .setConsistent(known.consistent())
                .setPositions(of(known.positions()))
                .setLog(
                        LogSpace.newBuilder()
                                .setUsedBytes(known.log().usedBytes())
                                .setBudgetBytes(known.log().budgetBytes()))
                .setPrimary(known.primaryName())
                .setShippingPaused(known.shippingPaused())
                .setApplyPaused(known.applyPaused())
                .setPolicies(
                        Policies.newBuilder()
                                .setAcknowledgement(Acknowledgement.ACKNOWLEDGEMENT_DURABLE)
                                .setLogFull(LogFull.LOG_FULL_DETACH_REPLICA));
        storage.mars.engine.log.Epoch last = known.epoch();
        if (last != null) {
            replica.setEpoch(of(last, names));
        }
        known.history().epochs().forEach(epoch -> replica.addHistory(of(epoch, names)));
        known.volumes().forEach(volume -> replica.addVolumes(of(volume)));
        for (int i = 0; i < known.volumes().size(); i++) {
            replica.addExports(
                    export(name, known.volumes().get(i), known.attachments().get(i), known));
        }
        known.members().forEach(member -> replica.addMembers(MemberView.of(name, member, rates)));
        LossEstimate loss = known.loss();
        if (loss != null) {
            replica.setForcedPromotionLoss(of(loss));
        }
        Fork fork = fork(known, names);
        if (fork != null) {
            replica.addForks(fork);
        }
    }

    static Role role(boolean primary) {
        return primary ? Role.ROLE_PRIMARY : Role.ROLE_SECONDARY;
    }

    static String hex(long id) {
        return HEX.toHexDigits(id);
    }

    private static String memberName(Known known, long id) {
        return known.members().stream()
                .filter(member -> member.id() == id)
                .map(ReplicaStatus.MemberStatus::name)
                .findFirst()
                .orElseGet(() -> hex(id));
    }

    private static Positions of(ReplicaStatus.Positions positions) {
        return Positions.newBuilder()
                .setDurable(positions.durable())
                .setReceived(positions.received())
                .setApplied(positions.applied())
                .setCheckpoint(positions.checkpoint())
                .build();
    }

    private static Epoch of(storage.mars.engine.log.Epoch epoch, LongFunction<String> names) {
        return Epoch.newBuilder()
                .setTerm(epoch.id().term())
                .setSequence(epoch.id().sequence())
                .setId(hex(epoch.id().id()))
                .setWriter(names.apply(epoch.writer()))
                .setStart(epoch.start())
                .build();
    }

    private static Volume of(VolumeShape volume) {
        return Volume.newBuilder().setName(volume.name()).setSizeBytes(volume.sizeBytes()).build();
    }

    private Export export(String resource, VolumeShape volume, int connections, Known known) {
        String name = resource + "/" + volume.name();
        Export.Builder export =
                Export.newBuilder()
                        .setName(name)
                        .setVolume(volume.name())
                        .setReadOnly(!known.primary());
        if (known.exported()) {
            export.addAllUris(uris.of(name)).setConnections(connections);
        }
        return export.build();
    }

    private static Condition of(ReplicaStatus.Condition condition) {
        return Condition.newBuilder()
                .setType(condition.type())
                .setStatus(condition.ok() ? "True" : "False")
                .setReason(condition.reason())
                .setMessage(condition.message())
                .setNextCommand(condition.next())
                .build();
    }

    private static DataLoss of(LossEstimate loss) {
        DataLoss.Builder result =
                DataLoss.newBuilder()
                        .setExact(loss.exact())
                        .setBytes(loss.bytes())
                        .setSeconds(loss.seconds())
                        .addAllMembersAhead(loss.ahead());
        if (!loss.exact() && loss.unknownSinceMicros() != 0) {
            result.setUnknownSince(ProtoTime.ofMicros(loss.unknownSinceMicros()));
        }
        return result.build();
    }

    private static @Nullable Fork fork(Known known, LongFunction<String> names) {
        storage.mars.engine.log.ReplicaMetadata.Fork fork = known.fork();
        if (fork == null) {
            return null;
        }
        long theirEnd =
                known.members().stream()
                        .filter(member -> member.id() == fork.winnerReplica())
                        .mapToLong(ReplicaStatus.MemberStatus::received)
                        .findFirst()
                        .orElse(0);
        return Fork.newBuilder()
                .setForkPoint(fork.position())
                .setOurs(
                        branch(
                                known.replicaName(),
                                known.history(),
                                fork.position(),
                                known.positions().durable(),
                                names))
                .setTheirs(
                        branch(
                                names.apply(fork.winnerReplica()),
                                known.forkedHistory(),
                                fork.position(),
                                Math.max(theirEnd, fork.position()),
                                names))
                .build();
    }

    private static Branch branch(
            String replica,
            EpochHistory history,
            long forkPoint,
            long end,
            LongFunction<String> names) {
        List<Epoch> behind =
                history.epochs().stream()
                        .filter(epoch -> epoch.end() > forkPoint)
                        .map(epoch -> of(epoch, names))
                        .toList();
        return Branch.newBuilder().setReplica(replica).addAllEpochs(behind).setEnd(end).build();
    }
}
