// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static storage.mars.engine.replica.MembersRig.E1;
import static storage.mars.engine.replica.MembersRig.START;
import static storage.mars.engine.replica.MembersRig.VOLUME;
import static storage.mars.engine.replica.MembersRig.zeroes;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import storage.mars.engine.log.Chain;
import storage.mars.engine.log.EpochId;
import storage.mars.engine.replication.PeerMessage.BlockData;
import storage.mars.engine.replication.PeerMessage.BlocksUnavailable;
import storage.mars.engine.replication.PeerMessage.Hello;
import storage.mars.engine.replication.PeerMessage.JoinAccepted;
import storage.mars.engine.replication.PeerMessage.Pull;
import storage.mars.engine.replication.PeerMessage.ReadBlocks;
import storage.mars.engine.replication.PeerMessage.SyncNeeded;

class SyncingTest {

    private static final long AHEAD = START + 65536;

    @Test
    void blocksNewerThanTheForkAreCopiedAgainThoughNoneOfThemWasRecorded() {
        MembersRig rig = MembersRig.secondary();
        ReadBlocks asked = rig.a.last(ReadBlocks.class);
        rig.a.say(zeroes(asked, E1.id(), AHEAD));
        rig.c.dial();
        rig.c.say(rig.c.primary(MembersRig.second(START), START));

        assertThat(rig.c.last(Pull.class).from()).isEqualTo(START);
        assertThat(rig.c.last(ReadBlocks.class).offset()).isZero();
        assertThat(rig.c.last(ReadBlocks.class).length()).isEqualTo((int) VOLUME);
    }

    @Test
    void anAnswerInAnEpochThatIsNotFollowedIsAskedForAgain() {
        MembersRig rig = MembersRig.secondary();
        ReadBlocks asked = rig.a.last(ReadBlocks.class);
        rig.a.say(zeroes(asked, new EpochId(1, 1, 12), START));
        assertThat(rig.known().consistent()).isFalse();
        rig.fake.advance(TimeUnit.SECONDS.toNanos(1));

        assertThat(rig.a.all(ReadBlocks.class)).hasSize(2);
        rig.a.say(zeroes(rig.a.last(ReadBlocks.class), E1.id(), START));
        assertThat(rig.known().consistent()).isTrue();
    }

    @Test
    void anAnswerOfAnotherMemberThanTheSourceIsNotTaken() {
        MembersRig rig = MembersRig.secondary();
        ReadBlocks asked = rig.a.last(ReadBlocks.class);
        rig.c.dial();
        Hello hello = rig.a.primary(MembersRig.FIRST, START);
        rig.c.say(rig.c.secondary(hello));
        rig.c.say(zeroes(asked, E1.id(), START));

        assertThat(rig.known().consistent()).isFalse();
        rig.a.say(zeroes(asked, E1.id(), START));
        assertThat(rig.known().consistent()).isTrue();
    }

    @Test
    void aLateAnswerToAnEarlierCopyIsNotTakenForTheNextOne() {
        MembersRig rig = MembersRig.secondary();
        ReadBlocks asked = rig.a.last(ReadBlocks.class);
        rig.a.say(new SyncNeeded(AHEAD, new Chain.Link(3, 4), MembersRig.FIRST, "gone"));
        rig.a.say(rig.a.primary(MembersRig.FIRST, AHEAD));
        assertThat(rig.a.all(ReadBlocks.class)).hasSize(2);
        rig.a.say(zeroes(asked, E1.id(), START));
        assertThat(rig.known().consistent()).isFalse();

        rig.a.say(zeroes(rig.a.last(ReadBlocks.class), E1.id(), AHEAD));

        assertThat(rig.known().consistent()).isTrue();
    }

    @Test
    void aReplicaThatIsCopiedAnewAppliesAgain() {
        MembersRig rig = MembersRig.secondary().consistent();
        rig.host.pauseApply("r", true, new MembersRig.MustBeDone());
        rig.fake.run();
        assertThat(rig.known().applyPaused()).isTrue();

        rig.a.say(new SyncNeeded(AHEAD, new Chain.Link(3, 4), MembersRig.FIRST, "gone"));

        assertThat(rig.known().consistent()).isFalse();
        assertThat(rig.known().applyPaused()).isFalse();
    }

    @Test
    void whoeverHasLostTheRoleAnswersNoBlocks() {
        MembersRig rig = MembersRig.primary();
        MembersRig.Member b = rig.new Member(2, "b");
        JoinAccepted as = b.join();
        ReadBlocks question = new ReadBlocks(1, 0, 0, 4096, as.start());
        b.say(question);
        assertThat(b.all(BlockData.class)).hasSize(1);
        b.say(b.hello(as, false, 0, as.history(), as.highestTerm() + 1, as.start()));
        assertThat(rig.status().state()).isEqualTo("Secondary");

        b.say(question);

        assertThat(b.all(BlockData.class)).hasSize(1);
        assertThat(b.last(BlocksUnavailable.class).reason()).contains("not primary");
    }
}
