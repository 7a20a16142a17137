// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static storage.mars.engine.replica.MembersRig.FIRST;
import static storage.mars.engine.replica.MembersRig.START;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import storage.mars.engine.export.Exports;
import storage.mars.engine.fake.FakePorts;
import storage.mars.engine.log.Chain;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.LogFormat;
import storage.mars.engine.replication.PeerMessage.HandoverRequest;
import storage.mars.engine.replication.PeerMessage.Pull;
import storage.mars.engine.replication.PeerMessage.Refused;
import storage.mars.engine.replication.PeerMessage.SyncNeeded;

class FollowingTest {

    private static final SyncNeeded GONE =
            new SyncNeeded(START + (1 << 20), new Chain.Link(3, 4), FIRST, "the log is gone", null);

    private final MembersRig rig = MembersRig.secondary().consistent();

    @Test
    void theFormerPrimaryIsNotFollowedAgainWhileTheHistoryOfTheNewOneIsBeingAdopted() {
        rig.fake.hold(FakePorts.every(FakePorts.Kind.LOG_WRITE, "meta"));
        rig.c.dial();
        rig.c.say(rig.c.primary(MembersRig.second(START), START));
        rig.a.forget();
        rig.a.say(rig.a.primary(FIRST, START));
        rig.fake.holdNothing();

        assertThat(rig.a.all(Pull.class)).isEmpty();
        assertThat(rig.c.all(Pull.class)).hasSize(1);
    }

    @Test
    void theExportsOfAFollowerAreOfTheIncarnationOfItsPrimary() {
        assertThat(export().info().incarnation()).isEqualTo(MembersRig.INCARNATION);

        rig.c.dial();
        rig.c.say(rig.c.primaryOf(6, MembersRig.second(START), START));

        assertThat(rig.known().incarnation()).isEqualTo(6);
        assertThat(export().info().incarnation()).isEqualTo(6);
        assertThat(export().info().readOnly()).isTrue();
    }

    private Exports.Target export() {
        return Objects.requireNonNull(rig.exports.find("r/v"));
    }

    /** A hello from before the primary had read its log says that it holds less than this one. */
    @Test
    void whoHasNothingInCommonAnyMoreIsDivergedWhateverWasWrongBefore() {
        rig.a.say(rig.a.secondary(rig.a.primary(FIRST, START)));
        rig.a.say(rig.a.primary(FIRST, START - LogFormat.BLOCK));
        assertThat(following()).isEqualTo("NotPulling");
        EpochHistory later = MembersRig.second(START).prunedBelow(START + 1);

        rig.a.say(rig.a.primary(later, START));

        assertThat(rig.status().state()).isEqualTo("Diverged");
    }

    @Test
    void whoHasNoRoleAnyMoreIsNoSource() {
        assertThat(following()).isEqualTo("Pulling");

        rig.a.say(rig.a.secondary(rig.a.primary(FIRST, START)));

        assertThat(following()).isEqualTo("NotPulling");
        rig.a.say(rig.a.primary(FIRST, START));
        assertThat(following()).isEqualTo("Pulling");
        assertThat(rig.a.all(Pull.class)).hasSize(2);
    }

    private String following() {
        return rig.status().conditions().stream()
                .filter(each -> each.type().equals("Following"))
                .findFirst()
                .orElseThrow()
                .reason();
    }

    @Test
    void whoIsNotFollowedCannotHaveAReplicaCopiedAnew() {
        rig.c.dial();
        rig.c.say(rig.c.secondary(rig.a.primary(FIRST, START)));
        rig.c.say(GONE);

        assertThat(rig.known().consistent()).isTrue();
    }

    @Test
    void aPrimaryOfATermThatIsOverCannotHaveAReplicaCopiedAnew() {
        rig.c.dial();
        rig.c.say(rig.c.primary(MembersRig.second(START), START));
        rig.a.say(GONE);
        rig.c.say(GONE);

        assertThat(rig.known().consistent()).isTrue();
    }

    @Test
    void aReplicaThatIsAskingForTheRolePullsAgainOnceItIsRefused() {
        rig.host.promote("r", false, Duration.ofMinutes(1), new MembersRig.Answer());
        rig.fake.run();
        assertThat(rig.a.all(HandoverRequest.class)).hasSize(1);
        rig.a.say(GONE);
        assertThat(rig.known().consistent()).isTrue();

        rig.a.say(new Refused("not now"));

        assertThat(rig.a.all(Pull.class)).hasSize(2);
        rig.a.say(GONE);
        assertThat(rig.known().consistent()).isFalse();
    }

    @Test
    void theRoleIsNotTakenWhileAForkIsBeingLookedAt() {
        rig.fake.hold(FakePorts.every(FakePorts.Kind.LOG_WRITE, "meta"));
        rig.c.dial();
        rig.c.say(rig.c.primary(MembersRig.second(START - LogFormat.BLOCK), START));
        MembersRig.Answer answer = new MembersRig.Answer();
        rig.host.promoteByForce("r", 2L, null, answer);
        rig.fake.run();
        assertThat(rig.status().state()).isEqualTo("Secondary");
        assertThat(Objects.requireNonNull(answer.refusal).code()).isEqualTo("Busy");

        rig.fake.holdNothing();

        assertThat(rig.status().state()).isEqualTo("Diverged");
    }

    @Test
    void aPullThatIsRefusedWhileTheRoleIsAskedForIsAskedAgain() {
        rig.host.promote("r", false, Duration.ofMinutes(1), new MembersRig.Answer());
        rig.fake.run();
        rig.a.say(new Refused("r is not primary here"));
        rig.fake.advance(TimeUnit.SECONDS.toNanos(1));
        rig.a.say(rig.a.primary(FIRST, START));

        assertThat(rig.a.all(Pull.class)).hasSize(2);
    }
}
