// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import storage.mars.engine.fake.FakePorts;
import storage.mars.engine.log.Epoch;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.EpochId;
import storage.mars.engine.replica.ReplicaStatus.MemberStatus;
import storage.mars.engine.replication.PeerMessage.JoinAccepted;
import storage.mars.engine.replication.PeerMessage.JoinRequest;
import storage.mars.engine.replication.PeerMessage.Leave;
import storage.mars.engine.replication.PeerMessage.Pull;
import storage.mars.engine.replication.PeerMessage.Refused;

class MemberListTest {

    private final MembersRig rig = MembersRig.primary();
    private final MembersRig.Member b = rig.new Member(2, "b");
    private final MembersRig.Member c = rig.new Member(3, "c");

    @Test
    void aMemberCanStrikeOffItselfAlone() {
        b.join();
        c.join();
        b.say(new Leave(c.id));
        assertThat(names()).contains("b", "c");

        b.say(new Leave(b.id));

        assertThat(names()).contains("c").doesNotContain("b");
    }

    @Test
    void whoIsNoMemberAndKnowsNothingOfTheLogTellsNobodyWhoTheMembersAre() {
        MembersRig secondary = MembersRig.secondary();
        MembersRig.Member stranger = secondary.new Member(9, "stranger");
        stranger.self = secondary.a.self;
        stranger.dial();
        Epoch other = new Epoch(new EpochId(5, 0, 55), 9, 0, Epoch.OPEN);
        stranger.say(stranger.primaryAmong(new EpochHistory(List.of(other)), "stranger"));

        assertThat(secondary.known().members()).extracting(MemberStatus::name).contains("a", "c");
        assertThat(stranger.last(Refused.class).reason()).contains("not a member");
    }

    @Test
    void noNameOfAMemberIsLongerThanWhenItJoined() {
        MembersRig secondary = MembersRig.secondary();
        secondary.a.say(secondary.a.primaryAmong(MembersRig.FIRST, "n".repeat(64)));

        assertThat(secondary.known().members()).extracting(MemberStatus::name).contains("a", "c");
        assertThat(secondary.a.last(Refused.class).reason()).contains("at most 63 letters");
    }

    @Test
    void whoIsRefusedAPlaceLosesItsLink() {
        c.dial();
        c.say(new JoinRequest("r", c.id, "a", "c:1"));

        assertThat(c.last(Refused.class).reason()).contains("engine names must differ");
        assertThat(c.hungUp).isTrue();
    }

    @Test
    void whoIsAcceptedAndDoesNotSayHelloLosesItsLink() {
        b.join();
        c.dial();
        c.say(new JoinRequest("r", c.id, c.name, "c:1"));
        assertThat(c.all(JoinAccepted.class)).hasSize(1);
        assertThat(c.hungUp).isFalse();

        rig.fake.advance(TimeUnit.SECONDS.toNanos(11));

        assertThat(c.hungUp).isTrue();
    }

    @Test
    void whoHasNotSaidHelloAsksForNothing() {
        JoinAccepted as = b.join();
        c.dial();
        c.say(new Pull(as.start(), as.link(), as.start() + 4096));

        assertThat(c.hungUp).isTrue();
        assertThat(b.hungUp).isFalse();
    }

    private List<String> names() {
        return rig.known().members().stream().map(MemberStatus::name).toList();
    }

    @Test
    void aJoinThatIsUnderWayWhenTheRoleIsLostIsRefused() {
        JoinAccepted as = b.join();
        rig.fake.hold(FakePorts.every(FakePorts.Kind.LOG_WRITE, "meta"));
        c.dial();
        c.say(new JoinRequest("r", c.id, c.name, "c:1"));
        b.say(b.hello(as, false, 0, as.history(), as.highestTerm() + 1, as.start()));
        rig.fake.holdNothing();

        assertThat(rig.status().state()).isEqualTo("Secondary");
        assertThat(c.last(Refused.class).reason()).contains("not primary");
        assertThat(c.all(JoinAccepted.class)).isEmpty();
    }
}
