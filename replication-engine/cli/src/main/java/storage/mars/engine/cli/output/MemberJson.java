// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli.output;

import org.jspecify.annotations.Nullable;
import storage.mars.engine.api.v1.Member;
import storage.mars.engine.api.v1.Sync;

/** A member in JSON; the component names are the documented keys. */
record MemberJson(
        String name,
        @Nullable String role,
        boolean connected,
        @Nullable Long receivedPosition,
        @Nullable Long appliedPosition,
        @Nullable Long lagBytes,
        @Nullable Double lagSeconds,
        @Nullable SyncJson sync,
        String id,
        @Nullable String address,
        boolean self,
        @Nullable String state,
        long term,
        boolean consistent,
        boolean detached,
        @Nullable String lastContact) {

    static MemberJson of(Member member) {
        return new MemberJson(
                member.getName(),
                RoleName.orNull(member.getRole()),
                member.getConnected(),
                member.hasReceivedPosition() ? member.getReceivedPosition() : null,
                member.hasAppliedPosition() ? member.getAppliedPosition() : null,
                member.hasLagBytes() ? member.getLagBytes() : null,
                member.hasLagSeconds() ? JsonValue.seconds(member.getLagSeconds()) : null,
                member.hasSync() ? SyncJson.of(member.getSync()) : null,
                member.getId(),
                JsonValue.textOrNull(member.getAddress()),
                member.getSelf(),
                JsonValue.textOrNull(member.getState()),
                member.getTerm(),
                member.getConsistent(),
                member.getDetached(),
                member.hasLastContact() ? JsonValue.time(member.getLastContact()) : null);
    }

    record SyncJson(String state, long totalBytes, long doneBytes, @Nullable Double etaSeconds) {
        static SyncJson of(Sync sync) {
            return new SyncJson(
                    sync.getState(),
                    sync.getTotalBytes(),
                    sync.getDoneBytes(),
                    sync.hasEtaSeconds() ? JsonValue.seconds(sync.getEtaSeconds()) : null);
        }
    }
}
