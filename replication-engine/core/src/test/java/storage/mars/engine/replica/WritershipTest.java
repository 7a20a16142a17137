// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import storage.mars.engine.fake.FakePorts;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.LogFormat;
import storage.mars.engine.replication.PeerMessage.JoinAccepted;

class WritershipTest {

    private static final long B = 2;

    @Test
    void aMemberThatStillReadsItsLogHasNotAnswered() {
        MembersRig before = MembersRig.primary();
        JoinAccepted as = before.new Member(B, "b").join();
        MembersRig rig = new MembersRig("a", before.fake.afterProcessCrash());
        rig.host.openAll(name -> true, new MembersRig.MustBeDone());
        rig.fake.run();
        MembersRig.Member b = rig.new Member(B, "b");
        b.dial();
        b.say(b.recovering(b.hello(as, as.start())));
        assertThat(rig.status().state()).isEqualTo("Meeting");

        b.say(b.hello(as, as.start() + LogFormat.BLOCK));

        assertThat(rig.status().state()).isEqualTo("DurableLoss");
        assertThat(rig.known().history().epochs()).hasSize(1);
    }

    @Test
    void restartsWithoutACheckpointForgetNoEpochThatTheNextOneReads() {
        MembersRig rig = MembersRig.primary();
        int restarts = EpochHistory.MAX_EPOCHS / 2 + 20;
        for (int i = 0; i < restarts; i++) {
            rig = new MembersRig("a", rig.fake.afterProcessCrash());
            rig.host.openAll(name -> true, new MembersRig.MustBeDone());
            rig.fake.run();
        }

        assertThat(rig.status().state()).isEqualTo("Serving");
        assertThat(rig.known().history().epochs()).hasSize(restarts + 1);
    }

    /**
     * What member b says of itself is heard while the primary still reads its log; members {@code
     * silent} say nothing.
     */
    static MembersRig restartedBeside(long moreLog, long moreTerm, String... silent) {
        MembersRig before = MembersRig.primary();
        JoinAccepted as = before.new Member(B, "b").join();
        for (int i = 0; i < silent.length; i++) {
            before.new Member(B + 1 + i, silent[i]).join();
        }
        MembersRig rig = new MembersRig("a", before.fake.afterProcessCrash());
        rig.fake.hold(FakePorts.every(FakePorts.Kind.READ, "/log/"));
        rig.host.openAll(name -> true, new MembersRig.MustBeDone());
        rig.fake.run();
        MembersRig.Member b = rig.new Member(B, "b");
        b.dial();
        long highest = as.highestTerm() + moreTerm;
        b.say(b.hello(as, false, 0, as.history(), highest, as.start() + moreLog));
        assertThat(rig.status().state()).isEqualTo("Recovering");
        rig.fake.holdNothing();
        return rig;
    }

    @Test
    void aPrimaryThatHeardWhileItRecoveredThatItHasLostLogBeginsNoEpoch() {
        MembersRig rig = restartedBeside(LogFormat.BLOCK, 0);

        assertThat(rig.status().state()).isEqualTo("DurableLoss");
        assertThat(rig.known().history().epochs()).hasSize(1);
    }

    @Test
    void aPrimaryThatHeardWhileItRecoveredOfAHigherTermBeginsNoEpoch() {
        MembersRig rig = restartedBeside(0, 1);

        assertThat(rig.status().state()).isEqualTo("Secondary");
        assertThat(rig.known().history().epochs()).hasSize(1);
    }
}
