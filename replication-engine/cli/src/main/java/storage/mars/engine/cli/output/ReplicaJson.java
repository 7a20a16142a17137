// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli.output;

import java.util.List;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.api.v1.DataLoss;
import storage.mars.engine.api.v1.Epoch;
import storage.mars.engine.api.v1.Export;
import storage.mars.engine.api.v1.LogSpace;
import storage.mars.engine.api.v1.Positions;
import storage.mars.engine.api.v1.Replica;
import storage.mars.engine.api.v1.Volume;

/**
 * A replica in JSON: the component names are the documented keys. Every key is always there; null
 * means not known or not applicable.
 */
record ReplicaJson(
        String name,
        String id,
        String replica,
        @Nullable String role,
        String state,
        long term,
        @Nullable EpochJson epoch,
        @Nullable String incarnation,
        boolean consistent,
        PositionsJson positions,
        List<VolumeJson> volumes,
        List<MemberJson> members,
        List<ConditionJson> conditions,
        String replicaId,
        @Nullable String primary,
        boolean shippingPaused,
        boolean applyPaused,
        List<ExportJson> exports,
        LogJson log,
        List<EpochJson> history,
        List<ForkJson> forks,
        @Nullable LossJson forcedPromotionLoss,
        @Nullable String observedAt) {

    static ReplicaJson of(Replica replica) {
        return new ReplicaJson(
                replica.getName(),
                replica.getId(),
                replica.getReplica(),
                RoleName.orNull(replica.getRole()),
                replica.getState(),
                replica.getTerm(),
                replica.hasEpoch() ? EpochJson.of(replica.getEpoch()) : null,
                JsonValue.textOrNull(replica.getIncarnation()),
                replica.getConsistent(),
                PositionsJson.of(replica.getPositions()),
                replica.getVolumesList().stream().map(VolumeJson::of).toList(),
                replica.getMembersList().stream().map(MemberJson::of).toList(),
                replica.getConditionsList().stream().map(ConditionJson::of).toList(),
                replica.getReplicaId(),
                JsonValue.textOrNull(replica.getPrimary()),
                replica.getShippingPaused(),
                replica.getApplyPaused(),
                replica.getExportsList().stream().map(ExportJson::of).toList(),
                LogJson.of(replica.getLog()),
                replica.getHistoryList().stream().map(EpochJson::of).toList(),
                replica.getForksList().stream().map(ForkJson::of).toList(),
                replica.hasForcedPromotionLoss()
                        ? LossJson.of(replica.getForcedPromotionLoss())
                        : null,
                replica.hasObservedAt() ? JsonValue.time(replica.getObservedAt()) : null);
    }

    record EpochJson(long term, long sequence, String id, String writer, long start) {
        static EpochJson of(Epoch epoch) {
            return new EpochJson(
                    epoch.getTerm(),
                    epoch.getSequence(),
                    epoch.getId(),
                    epoch.getWriter(),
                    epoch.getStart());
        }
    }

    record PositionsJson(long durable, long received, long applied, long checkpoint) {
        static PositionsJson of(Positions positions) {
            return new PositionsJson(
                    positions.getDurable(),
                    positions.getReceived(),
                    positions.getApplied(),
                    positions.getCheckpoint());
        }
    }

    record VolumeJson(String name, long sizeBytes) {
        static VolumeJson of(Volume volume) {
            return new VolumeJson(volume.getName(), volume.getSizeBytes());
        }
    }

    record ExportJson(
            String name, String volume, boolean readOnly, List<String> uris, int connections) {
        static ExportJson of(Export export) {
            return new ExportJson(
                    export.getName(),
                    export.getVolume(),
                    export.getReadOnly(),
                    export.getUrisList(),
                    export.getConnections());
        }
    }

    record LogJson(long usedBytes, long budgetBytes) {
        static LogJson of(LogSpace log) {
            return new LogJson(log.getUsedBytes(), log.getBudgetBytes());
        }
    }

    record LossJson(
            boolean exact,
            long bytes,
            double seconds,
            @Nullable String unknownSince,
            List<String> membersAhead) {
        static LossJson of(DataLoss loss) {
            return new LossJson(
                    loss.getExact(),
                    loss.getBytes(),
                    JsonValue.seconds(loss.getSeconds()),
                    loss.hasUnknownSince() ? JsonValue.time(loss.getUnknownSince()) : null,
                    loss.getMembersAheadList());
        }
    }
}
