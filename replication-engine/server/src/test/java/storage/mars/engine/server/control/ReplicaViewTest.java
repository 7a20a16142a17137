// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.control;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import storage.mars.engine.api.v1.Member;
import storage.mars.engine.api.v1.Replica;
import storage.mars.engine.api.v1.Role;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.EpochId;
import storage.mars.engine.log.ReplicaMetadata.Fork;
import storage.mars.engine.log.ReplicaMetadata.VolumeShape;
import storage.mars.engine.replica.LossEstimate;
import storage.mars.engine.replica.ReplicaStatus;
import storage.mars.engine.replica.ReplicaStatus.Condition;
import storage.mars.engine.replica.ReplicaStatus.Counters;
import storage.mars.engine.replica.ReplicaStatus.Known;
import storage.mars.engine.replica.ReplicaStatus.LogSpace;
import storage.mars.engine.replica.ReplicaStatus.MemberStatus;
import storage.mars.engine.replica.ReplicaStatus.Positions;
import storage.mars.engine.replica.ReplicaStatus.Sync;
import storage.mars.engine.server.config.HostPort;
import storage.mars.engine.server.config.NbdAddress;

/** What core knows arrives in the fields of control.proto; what it does not know is unset. */
class ReplicaViewTest {

    private static final EpochHistory SHARED =
            EpochHistory.EMPTY.startedAt(0, new EpochId(1, 0, 0xa), 1);
    private static final EpochHistory OURS = SHARED.startedAt(4096, new EpochId(1, 1, 0xb), 1);
    private static final EpochHistory THEIRS = SHARED.startedAt(8192, new EpochId(2, 0, 0xc), 2);

    private final ReplicaView view =
            new ReplicaView(
                    "a",
                    new ExportUris(
                            List.of(
                                    new NbdAddress.Unix(Path.of("/run/a b.sock")),
                                    new NbdAddress.Tcp(new HostPort("::1", 10809)))));

    @Test
    void damagedReplicaShowsItsStateAndTheWayOut() {
        Replica replica =
                view.of(
                        new ReplicaStatus(
                                "r",
                                "Corrupt",
                                "both slots are bad",
                                null,
                                List.of(
                                        new Condition(
                                                "Ready",
                                                false,
                                                "Corrupt",
                                                "both slots are bad",
                                                "marsadm leave-resource r --force"))));

        assertThat(replica.getState()).isEqualTo("Corrupt");
        assertThat(replica.getReplica()).isEqualTo("a");
        assertThat(replica.getRole()).isEqualTo(Role.ROLE_UNSPECIFIED);
        assertThat(replica.getConditions(0).getStatus()).isEqualTo("False");
        assertThat(replica.getConditions(0).getNextCommand()).contains("--force");
    }

    @Test
    void exportsNameEveryListener() {
        Replica replica = view.of(status(known(true, null, null)));

        assertThat(replica.getExports(0).getUrisList())
                .containsExactly(
                        "nbd+unix:///r/data?socket=/run/a%20b.sock", "nbd://[::1]:10809/r/data");
        assertThat(replica.getExports(0).getConnections()).isEqualTo(2);
        assertThat(replica.getExports(0).getReadOnly()).isFalse();
        assertThat(replica.getId()).isEqualTo("00000000000000ff");
        assertThat(replica.getEpoch().getWriter()).isEqualTo("a");
        assertThat(replica.hasForcedPromotionLoss()).isFalse();
    }

    @Test
    void unknownMemberHasNoPositionsRoleOrContact() {
        Member unknown = view.of(status(known(true, null, null))).getMembers(1);

        assertThat(unknown.getRole()).isEqualTo(Role.ROLE_UNSPECIFIED);
        assertThat(unknown.hasReceivedPosition()).isFalse();
        assertThat(unknown.hasAppliedPosition()).isFalse();
        assertThat(unknown.hasLagBytes()).isFalse();
        assertThat(unknown.hasLastContact()).isFalse();
        assertThat(unknown.hasSync()).isFalse();
    }

    @Test
    void syncSaysHowFarItIs() {
        Member syncing = view.of(status(known(true, null, null))).getMembers(2);

        assertThat(syncing.getSync().getState()).isEqualTo("Copying");
        assertThat(syncing.getSync().getTotalBytes()).isEqualTo(100);
        assertThat(syncing.getSync().getDoneBytes()).isEqualTo(10);
        assertThat(syncing.getSync().hasEtaSeconds()).isFalse();
        assertThat(syncing.getDetached()).isTrue();
    }

    @Test
    void syncSaysHowLongItTakesOnceItIsSeenToGoOn() {
        SyncRates rates = new SyncRates();
        long tenSecondsAgo = System.nanoTime() - TimeUnit.SECONDS.toNanos(10);
        assertThat(rates.secondsLeft("r", 3, new Sync(100, 5), tenSecondsAgo)).isEmpty();

        Member syncing =
                MemberView.of("r", member(3, "c", false, 0, 0, new Sync(100, 10), 5), rates);

        // 5 bytes in 10 s, or somewhat more: 90 are left.
        assertThat(syncing.getSync().hasEtaSeconds()).isTrue();
        assertThat(syncing.getSync().getEtaSeconds()).isBetween(180.0, 1800.0);
    }

    @Test
    void lossIsExactOrUnknownSince() {
        LossEstimate loss = new LossEstimate(false, 5, 1.5, 2_000_001, List.of("c"));

        var shown = view.of(status(known(false, null, loss))).getForcedPromotionLoss();

        assertThat(shown.getExact()).isFalse();
        assertThat(shown.getBytes()).isEqualTo(5);
        assertThat(shown.getUnknownSince().getSeconds()).isEqualTo(2);
        assertThat(shown.getUnknownSince().getNanos()).isEqualTo(1000);
        assertThat(shown.getMembersAheadList()).containsExactly("c");
    }

    @Test
    void forkShowsBothBranches() {
        Fork fork = new Fork(8192, new EpochId(2, 0, 0xc), 2);

        var shown = view.of(status(known(false, fork, null))).getForks(0);

        assertThat(shown.getForkPoint()).isEqualTo(8192);
        assertThat(shown.getOurs().getReplica()).isEqualTo("a");
        assertThat(shown.getOurs().getEnd()).isEqualTo(20_480);
        assertThat(shown.getOurs().getEpochsList()).hasSize(1);
        assertThat(shown.getTheirs().getReplica()).isEqualTo("b");
        assertThat(shown.getTheirs().getEpochs(0).getTerm()).isEqualTo(2);
    }

    private static ReplicaStatus status(Known known) {
        return new ReplicaStatus("r", "Serving", "", known, List.of());
    }

    private static Known known(boolean primary, @Nullable Fork fork, @Nullable LossEstimate loss) {
        return new Known(
                0xff,
                1,
                "a",
                primary,
                2,
                OURS,
                7,
                true,
                new Positions(20_480, 20_480, 16_384, 0),
                List.of(new VolumeShape(0, "data", 4096)),
                List.of(
                        member(1, "a", true, 20_480, 0, null, 5),
                        member(2, "b", false, -1, -1, null, 0),
                        member(3, "c", false, 20_480, 0, new Sync(100, 10), 5)),
                "a",
                false,
                false,
                new LogSpace(1, 2, null),
                true,
                List.of(2),
                fork,
                fork == null ? EpochHistory.EMPTY : THEIRS,
                loss,
                new Counters(null, null, 0, 0, 0, false));
    }

    private static MemberStatus member(
            long id,
            String name,
            boolean self,
            long position,
            long lag,
            @Nullable Sync sync,
            long contact) {
        return new MemberStatus(
                id,
                name,
                "127.0.0.1:1",
                self,
                self,
                true,
                "",
                2,
                true,
                sync == null,
                position,
                position,
                lag,
                0,
                sync,
                contact);
    }
}
