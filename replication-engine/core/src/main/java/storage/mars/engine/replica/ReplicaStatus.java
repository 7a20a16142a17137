// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.util.List;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.export.Traffic;
import storage.mars.engine.log.Epoch;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.ReplicaMetadata.Fork;
import storage.mars.engine.log.ReplicaMetadata.VolumeShape;

/**
 * What one engine knows of a resource at one moment. Everything behind {@code known} is absent
 * while the metadata cannot be read.
 */
public record ReplicaStatus(
        String name,
        String state,
        String reason,
        @Nullable Known known,
        List<Condition> conditions) {

    /** Ids are shown as 16 hex digits; {@code attachments} are those of each volume, in order. */
    public record Known(
            long resourceId,
            long replicaId,
            String replicaName,
            boolean primary,
            long highestTerm,
            EpochHistory history,
            long incarnation,
            boolean consistent,
            Positions positions,
            List<VolumeShape> volumes,
            List<MemberStatus> members,
            String primaryName,
            boolean shippingPaused,
            boolean applyPaused,
            LogSpace log,
            boolean exported,
            List<Integer> attachments,
            @Nullable Fork fork,
            EpochHistory forkedHistory,
            @Nullable LossEstimate loss,
            Counters counters) {

        public @Nullable Epoch epoch() {
            return history.isEmpty() ? null : history.last();
        }
    }

    public record Positions(long durable, long received, long applied, long checkpoint) {}

    public record LogSpace(long usedBytes, long budgetBytes, @Nullable String stall) {}

    /** Running totals and latencies, of this opening of the replica. */
    public record Counters(
            @Nullable StageLatencies latencies,
            @Nullable Traffic traffic,
            long writtenBackBytes,
            int indexBlocks,
            long shippedBytes,
            boolean stalled) {}

    /** A member as known here; {@code received} and {@code applied} are -1 while not known. */
    public record MemberStatus(
            long id,
            String name,
            String address,
            boolean self,
            boolean primary,
            boolean connected,
            String state,
            long term,
            boolean consistent,
            boolean attached,
            long received,
            long applied,
            long lagBytes,
            double lagSeconds,
            @Nullable Sync sync,
            long contactWallMicros) {}

    public record Sync(long totalBytes, long doneBytes) {}

    /** Of positive sense: {@code ok} means as wanted. */
    public record Condition(String type, boolean ok, String reason, String message, String next) {}
}
