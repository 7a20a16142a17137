// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static storage.mars.engine.replica.ReplicaRig.E1;
import static storage.mars.engine.replica.ReplicaRig.START;
import static storage.mars.engine.replica.ReplicaRig.VOLUME;
import static storage.mars.engine.replica.ReplicaRig.zeroes;

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
        ReplicaRig rig = ReplicaRig.secondary();
        ReadBlocks asked = rig.a.last(ReadBlocks.class);
        rig.a.say(zeroes(asked, E1.id(), AHEAD));
        rig.c.dial();
        rig.c.say(rig.c.primary(ReplicaRig.second(START), START));

        assertThat(rig.c.last(Pull.class).from()).isEqualTo(START);
        assertThat(rig.c.last(ReadBlocks.class).offset()).isZero();
        assertThat(rig.c.last(ReadBlocks.class).length()).isEqualTo((int) VOLUME);
    }

    @Test
    void anAnswerInAnEpochThatIsNotFollowedIsAskedForAgain() {
        ReplicaRig rig = ReplicaRig.secondary();
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
        ReplicaRig rig = ReplicaRig.secondary();
        ReadBlocks asked = rig.a.last(ReadBlocks.class);
        rig.c.dial();
        Hello hello = rig.a.primary(ReplicaRig.FIRST, START);
        rig.c.say(rig.c.secondary(hello));
        rig.c.say(zeroes(asked, E1.id(), START));

        assertThat(rig.known().consistent()).isFalse();
        rig.a.say(zeroes(asked, E1.id(), START));
        assertThat(rig.known().consistent()).isTrue();
    }

    @Test
    void aLateAnswerToAnEarlierCopyIsNotTakenForTheNextOne() {
        ReplicaRig rig = ReplicaRig.secondary();
        ReadBlocks asked = rig.a.last(ReadBlocks.class);
        rig.a.say(new SyncNeeded(AHEAD, new Chain.Link(3, 4), ReplicaRig.FIRST, "gone"));
        rig.a.say(rig.a.primary(ReplicaRig.FIRST, AHEAD));
        assertThat(rig.a.all(ReadBlocks.class)).hasSize(2);
        rig.a.say(zeroes(asked, E1.id(), START));
        assertThat(rig.known().consistent()).isFalse();

        rig.a.say(zeroes(rig.a.last(ReadBlocks.class), E1.id(), AHEAD));

        assertThat(rig.known().consistent()).isTrue();
    }

    @Test
    void whoeverHasLostTheRoleAnswersNoBlocks() {
        ReplicaRig rig = ReplicaRig.primary();
        ReplicaRig.Member b = rig.new Member(2, "b");
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
