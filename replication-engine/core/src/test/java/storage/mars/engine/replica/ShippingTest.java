// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import storage.mars.engine.fake.FakePorts;
import storage.mars.engine.log.Chain;
import storage.mars.engine.log.LogFormat;
import storage.mars.engine.replication.PeerMessage.BlockData;
import storage.mars.engine.replication.PeerMessage.HandoverRequest;
import storage.mars.engine.replication.PeerMessage.JoinAccepted;
import storage.mars.engine.replication.PeerMessage.LogData;
import storage.mars.engine.replication.PeerMessage.Pull;
import storage.mars.engine.replication.PeerMessage.ReadBlocks;
import storage.mars.engine.replication.PeerMessage.Refused;
import storage.mars.engine.replication.PeerMessage.SyncNeeded;

class ShippingTest {

    private static final long CREDIT = 1 << 20;

    private final MembersRig rig = MembersRig.primary();
    private final MembersRig.Member b = rig.new Member(2, "b");
    private final JoinAccepted as = b.join();

    @Test
    void whoHoldsAnotherLogUpToThereGetsNothing() {
        b.say(new Pull(as.start(), new Chain.Link(1, 2), as.start() + CREDIT));
        rig.host.demote("r", false, null, new MembersRig.MustBeDone());
        rig.fake.run();

        assertThat(b.last(Refused.class).reason()).contains("differ below " + as.start());
        assertThat(b.all(LogData.class)).isEmpty();
    }

    @Test
    void whoTakesNoAnswersIsNotReadFor() {
        b.writable(false);
        ask(8);
        assertThat(b.all(BlockData.class)).isEmpty();
        assertThat(rig.fake.done(FakePorts.Kind.READ))
                .noneMatch(op -> op.file().endsWith(".img") && op.position() == 0);

        b.writable(true);

        assertThat(b.all(BlockData.class)).hasSize(8);
    }

    @Test
    void whoAsksForMoreThanAnybodyDoesIsHungUpOn() {
        b.writable(false);
        ask(40);
        assertThat(connected()).isFalse();
    }

    private void ask(int count) {
        for (int i = 0; i < count; i++) {
            b.say(new ReadBlocks(i, 0, 0, 4096, as.start()));
        }
    }

    private boolean connected() {
        return rig.known().members().stream().anyMatch(m -> !m.self() && m.connected());
    }

    @Test
    void whoAsksFromWithinAFrameIsToldToBeginAgain() {
        long within = as.start() - LogFormat.BLOCK;
        b.say(new Pull(within, as.link(), within + CREDIT));

        assertThat(b.last(SyncNeeded.class).start()).isEqualTo(as.start());
        assertThat(b.all(LogData.class)).isEmpty();
    }

    @Test
    void whatAMemberAsksForSaysNothingOfWhatItHolds() {
        b.say(b.hello(as, as.start() - LogFormat.BLOCK));
        b.say(new Pull(as.start(), as.link(), as.start() + CREDIT));
        b.say(new HandoverRequest(as.highestTerm(), false));
        long end = rig.durable();
        b.say(new Pull(end, as.link(), end + CREDIT));
        rig.fake.advance(TimeUnit.SECONDS.toNanos(1));

        assertThat(rig.status().state()).isEqualTo("HandingOver");
    }
}
