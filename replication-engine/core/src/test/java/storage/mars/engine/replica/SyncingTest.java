// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static storage.mars.engine.replica.MembersRig.E1;
import static storage.mars.engine.replica.MembersRig.START;
import static storage.mars.engine.replica.MembersRig.VOLUME;
import static storage.mars.engine.replica.MembersRig.zeroes;

import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import storage.mars.engine.fake.FakePorts;
import storage.mars.engine.fake.LogRig;
import storage.mars.engine.log.Blocks;
import storage.mars.engine.log.Chain;
import storage.mars.engine.log.EpochId;
import storage.mars.engine.log.ReplicaMetadata.Grant;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.replication.PeerMessage.BlockData;
import storage.mars.engine.replication.PeerMessage.BlocksUnavailable;
import storage.mars.engine.replication.PeerMessage.Hello;
import storage.mars.engine.replication.PeerMessage.JoinAccepted;
import storage.mars.engine.replication.PeerMessage.Pull;
import storage.mars.engine.replication.PeerMessage.ReadBlocks;
import storage.mars.engine.replication.PeerMessage.SyncNeeded;

class SyncingTest {

    private static final long AHEAD = START + 65536;
    private static final String ZEROS = "ad7facb2586fc6e966c004d7d1d16b02";

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
        rig.startOver(AHEAD);
        assertThat(rig.a.all(ReadBlocks.class)).hasSize(2);
        rig.a.say(zeroes(asked, E1.id(), START));
        assertThat(rig.known().consistent()).isFalse();

        rig.a.say(zeroes(rig.a.last(ReadBlocks.class), E1.id(), AHEAD));

        assertThat(rig.known().consistent()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"false, 2", "true, 3"})
    void whoBeganAgainBehindALaidDownRoleTakesNoTermThatAnotherMayHave(
            boolean laidDown, long term) {
        MembersRig rig = MembersRig.secondary().consistent();
        Grant grant = laidDown ? new Grant(MembersRig.C, 2) : null;
        rig.a.say(new SyncNeeded(AHEAD, new Chain.Link(3, 4), MembersRig.FIRST, "gone", grant));
        rig.a.say(rig.a.primary(MembersRig.FIRST, AHEAD));
        rig.a.say(zeroes(rig.a.last(ReadBlocks.class), E1.id(), AHEAD));
        rig.a.hangUp();
        rig.fake.advance(TimeUnit.SECONDS.toNanos(10));
        rig.host.promoteByForce("r", 1L, null, new MembersRig.MustBeDone());
        rig.fake.run();

        assertThat(rig.known().history().lastId().term()).isEqualTo(term);
    }

    @Test
    void aReplicaThatIsCopiedAnewAppliesAgain() {
        MembersRig rig = MembersRig.secondary().consistent();
        rig.host.pauseApply("r", true, new MembersRig.MustBeDone());
        rig.fake.run();
        assertThat(rig.known().applyPaused()).isTrue();

        rig.a.say(new SyncNeeded(AHEAD, new Chain.Link(3, 4), MembersRig.FIRST, "gone", null));

        assertThat(rig.known().consistent()).isFalse();
        assertThat(rig.known().applyPaused()).isFalse();
    }

    private static BlockData differing(ReadBlocks asked, BitSet blocks, int fill) {
        return new BlockData(
                asked.request(),
                asked.volume(),
                asked.offset(),
                asked.length(),
                E1.id(),
                AHEAD,
                false,
                blocks,
                LogRig.payload(blocks.cardinality() * Blocks.SIZE, fill));
    }

    private static BitSet bits(int... set) {
        BitSet bits = new BitSet();
        for (int bit : set) {
            bits.set(bit);
        }
        return bits;
    }

    @Test
    void whoHasNothingYetSendsNoDigests() {
        assertThat(MembersRig.secondary().a.last(ReadBlocks.class).digests().hasRemaining())
                .isFalse();
    }

    @Test
    void whoBeginsAnewSendsDigestsOfWhatItHasAndWritesWhatDiffers() {
        MembersRig rig = MembersRig.secondary().consistent();
        rig.image().overwrite(2 * Blocks.SIZE, new byte[] {1, 2, 3});

        ReadBlocks asked = rig.startOver(AHEAD);
        assertThat(asked.digests().remaining()).isEqualTo(16 * (int) (VOLUME / Blocks.SIZE));
        assertThat(asked.digests().slice(0, 16))
                .as("SHA-256 of 4096 zeros, its first half")
                .isEqualTo(ByteBuffer.wrap(HexFormat.of().parseHex(ZEROS)));
        assertThat(asked.digests().slice(32, 16)).isNotEqualTo(asked.digests().slice(0, 16));
        rig.fake.forgetDone();
        rig.a.say(differing(asked, bits(5, 7), 9));

        assertThat(rig.known().consistent()).isTrue();
        byte[] image = rig.image().data;
        assertThat(image[2 * Blocks.SIZE]).as("left as it was").isEqualTo((byte) 1);
        assertThat(image[5 * Blocks.SIZE]).isEqualTo((byte) 9);
        assertThat(image[6 * Blocks.SIZE]).isZero();
        assertThat(image[7 * Blocks.SIZE]).isEqualTo((byte) 9);
        assertThat(rig.fake.done(FakePorts.Kind.WRITE))
                .filteredOn(op -> op.file().endsWith(".img"))
                .hasSize(2);
    }

    @Test
    void whatIsTheSameIsNotWritten() {
        MembersRig rig = MembersRig.secondary().consistent();
        rig.image().overwrite(0, new byte[] {1});
        ReadBlocks asked = rig.startOver(AHEAD);
        rig.fake.forgetDone();
        rig.a.say(differing(asked, bits(), 0));

        assertThat(rig.known().consistent()).isTrue();
        assertThat(rig.fake.done(FakePorts.Kind.WRITE)).noneMatch(op -> op.file().endsWith(".img"));
    }

    /** The device has what the source has, but whoever reads here would go on seeing the other. */
    @Test
    void aBlockThatTheCacheShowsOtherwiseIsSent() {
        MembersRig rig = MembersRig.secondary().consistent();
        rig.image().overwrite(5 * Blocks.SIZE, new byte[] {1, 2, 3});
        rig.image().lose(5, new byte[] {9});

        ReadBlocks asked = rig.startOver(AHEAD);

        assertThat(asked.digests().slice(5 * 16, 16)).isEqualTo(ByteBuffer.allocate(16));
        assertThat(asked.digests().slice(4 * 16, 16)).isNotEqualTo(ByteBuffer.allocate(16));
        rig.a.say(differing(asked, bits(5), 9));
        assertThat(rig.image().data[5 * Blocks.SIZE]).isEqualTo((byte) 9);
        assertThat(rig.known().consistent()).isTrue();
    }

    @Test
    void whoIsFollowedNoMoreIsNotAskedBeforeAnotherIs() {
        MembersRig rig = MembersRig.secondary().consistent();
        rig.image().overwrite(0, new byte[] {1});
        rig.fake.hold(FakePorts.every(FakePorts.Kind.EXTENT));
        rig.startOver(AHEAD);
        rig.a.forget();
        rig.a.hangUp();

        rig.fake.holdNothing();

        assertThat(rig.a.all(ReadBlocks.class)).isEmpty();
    }

    @Test
    void whatCannotBeReadIsSentWhole() {
        MembersRig rig = MembersRig.secondary().consistent();
        rig.image().overwrite(0, new byte[] {1});
        rig.fake.failNext(
                op -> op.kind() == FakePorts.Kind.READ && op.length() == VOLUME,
                IoFailure.Kind.IO_ERROR);

        assertThat(rig.startOver(AHEAD).digests().hasRemaining()).isFalse();
    }

    @Test
    void whatCannotBeDigestedIsSentWhole() {
        MembersRig rig = MembersRig.secondary().consistent();
        rig.image().overwrite(0, new byte[] {1});
        rig.fake.failNext(FakePorts.every(FakePorts.Kind.WORK), IoFailure.Kind.CLOSED);

        assertThat(rig.startOver(AHEAD).digests().hasRemaining()).isFalse();
    }

    @Test
    void aSourceLeavesOutNothingThatItWasNotAskedToCompare() {
        MembersRig rig = MembersRig.secondary();
        rig.a.say(differing(rig.a.last(ReadBlocks.class), bits(5), 9));
        assertThat(rig.known().consistent()).isFalse();
        assertThat(rig.image().data[5 * Blocks.SIZE]).isZero();

        rig.fake.advance(TimeUnit.SECONDS.toNanos(1));

        assertThat(rig.a.all(ReadBlocks.class)).hasSize(2);
        rig.a.say(zeroes(rig.a.last(ReadBlocks.class), E1.id(), START));
        assertThat(rig.known().consistent()).isTrue();
    }

    @Test
    void whoIsFollowedNoMoreIsAskedNothingOnceTheDigestsAreThere() {
        MembersRig rig = MembersRig.secondary().consistent();
        rig.image().overwrite(0, new byte[] {1});
        rig.fake.hold(FakePorts.every(FakePorts.Kind.EXTENT));
        rig.startOver(AHEAD);
        int asked = rig.a.all(ReadBlocks.class).size();
        rig.c.dial();
        rig.c.say(rig.c.primary(MembersRig.second(AHEAD), AHEAD));

        rig.fake.holdNothing();

        assertThat(rig.a.all(ReadBlocks.class)).hasSize(asked);
        assertThat(rig.c.all(ReadBlocks.class)).hasSize(1);
    }

    @Test
    void whoeverHasLostTheRoleAnswersNoBlocks() {
        MembersRig rig = MembersRig.primary();
        MembersRig.Member b = rig.new Member(2, "b");
        JoinAccepted as = b.join();
        ReadBlocks question = MembersRig.ask(1, as.start());
        b.say(question);
        assertThat(b.all(BlockData.class)).hasSize(1);
        b.say(b.hello(as, false, 0, as.history(), as.highestTerm() + 1, as.start()));
        assertThat(rig.status().state()).isEqualTo("Secondary");

        b.say(question);

        assertThat(b.all(BlockData.class)).hasSize(1);
        assertThat(b.last(BlocksUnavailable.class).reason()).contains("not primary");
    }
}
