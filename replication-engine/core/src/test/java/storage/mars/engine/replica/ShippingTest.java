// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import storage.mars.engine.fake.FakePorts;
import storage.mars.engine.log.Blocks;
import storage.mars.engine.log.Chain;
import storage.mars.engine.log.LogFormat;
import storage.mars.engine.log.ReplicaMetadata.Grant;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.replication.PeerMessage.BlockData;
import storage.mars.engine.replication.PeerMessage.BlocksUnavailable;
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
    void whoGoesOnAskingAndTakesNoAnswersLosesItsLink() {
        b.writable(false);
        b.forget();
        for (int i = 0; i < 5_000; i++) {
            b.say(new Pull(as.start() + 1, new Chain.Link(1, 2), as.start() + CREDIT));
        }

        assertThat(b.all(Refused.class)).hasSizeBetween(1_000, 1_100);
        assertThat(rig.status().known()).isNotNull();
        assertThat(memberIsConnected()).isFalse();
    }

    private boolean memberIsConnected() {
        return rig.known().members().stream().anyMatch(m -> m.id() == 2 && m.connected());
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
            b.say(MembersRig.ask(i, as.start()));
        }
    }

    /** Four blocks of the image, of which the third is not zero. */
    private BlockData answerTo(ByteBuffer digests) {
        rig.image().overwrite(2 * Blocks.SIZE, new byte[] {1, 2, 3});
        b.say(new ReadBlocks(1, 0, 0, 4 * Blocks.SIZE, as.start(), digests));
        return b.last(BlockData.class);
    }

    private static byte[] digest(int... first) throws NoSuchAlgorithmException {
        byte[] block = new byte[Blocks.SIZE];
        for (int i = 0; i < first.length; i++) {
            block[i] = (byte) first[i];
        }
        return Arrays.copyOf(MessageDigest.getInstance("SHA-256").digest(block), 16);
    }

    private static ByteBuffer digests(byte[]... each) {
        ByteBuffer digests = ByteBuffer.allocate(16 * each.length);
        for (byte[] digest : each) {
            digests.put(digest);
        }
        return digests.flip();
    }

    @Test
    void whoSendsNoDigestsIsSentAllBlocks() {
        BlockData answer = answerTo(ByteBuffer.allocate(0));

        assertThat(answer.zero()).isFalse();
        assertThat(answer.differing().cardinality()).isEqualTo(4);
        assertThat(answer.bytes().get(2 * Blocks.SIZE + 1)).isEqualTo((byte) 2);
    }

    @Test
    void blocksThatTheMemberHasAreNotSent() throws Exception {
        BlockData answer = answerTo(digests(digest(), digest(9), digest(1, 2, 4), digest()));

        assertThat(answer.differing()).isEqualTo(BitSet.valueOf(new long[] {0b0110}));
        assertThat(answer.bytes().remaining()).isEqualTo(2 * Blocks.SIZE);
        assertThat(answer.bytes().get(1)).isZero();
        assertThat(answer.bytes().get(Blocks.SIZE + 1)).isEqualTo((byte) 2);
        assertThat(answer.newest()).isEqualTo(rig.durable());
    }

    @Test
    void whoHasEverythingIsSentNothing() throws Exception {
        BlockData answer = answerTo(digests(digest(), digest(), digest(1, 2, 3), digest()));

        assertThat(answer.zero()).isFalse();
        assertThat(answer.differing().isEmpty()).isTrue();
        assertThat(answer.bytes().hasRemaining()).isFalse();
    }

    @Test
    void blocksThatCannotBeComparedAreAskedForAgain() throws Exception {
        rig.image().overwrite(0, new byte[] {1});
        rig.fake.failNext(FakePorts.every(FakePorts.Kind.WORK), IoFailure.Kind.CLOSED);
        b.say(new ReadBlocks(7, 0, 0, Blocks.SIZE, as.start(), digests(digest(1))));

        assertThat(b.all(BlockData.class)).isEmpty();
        assertThat(b.last(BlocksUnavailable.class).request()).isEqualTo(7);
    }

    @Test
    void aLinkThatEndsWhileBlocksAreComparedKeepsNothing() throws Exception {
        rig.image().overwrite(0, new byte[] {1});
        rig.fake.hold(FakePorts.every(FakePorts.Kind.WORK));
        for (int i = 0; i < 32; i++) {
            b.say(new ReadBlocks(i, 0, 0, Blocks.SIZE, as.start(), digests(digest(9))));
        }
        b.hangUp();
        rig.fake.holdNothing();
        assertThat(b.all(BlockData.class)).isEmpty();
        b.dial();
        b.say(b.hello(as, as.start()));

        for (int i = 0; i < 32; i++) {
            b.say(new ReadBlocks(i, 0, 0, Blocks.SIZE, as.start(), digests(digest(9))));
        }

        assertThat(b.all(BlockData.class)).hasSize(32);
    }

    @Test
    void zerosAreSaidToBeZerosWhateverTheMemberHas() throws Exception {
        b.say(new ReadBlocks(1, 0, 0, Blocks.SIZE, as.start(), digests(digest(1))));

        assertThat(b.last(BlockData.class).zero()).isTrue();
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
    void whoBeginsAgainAtALaidDownRoleIsToldOfIt() {
        long within = as.start() - LogFormat.BLOCK;
        b.say(new Pull(within, as.link(), within + CREDIT));
        assertThat(b.last(SyncNeeded.class).grant()).isNull();
        rig.host.demote("r", false, null, new MembersRig.MustBeDone());
        rig.fake.run();
        b.say(b.hello(as, as.start()));
        b.say(new Pull(within, as.link(), within + CREDIT));

        assertThat(b.last(SyncNeeded.class).start()).isEqualTo(rig.durable());
        assertThat(b.last(SyncNeeded.class).grant())
                .isEqualTo(new Grant(Grant.ANYBODY, as.highestTerm() + 1));
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

    @Test
    void whoAsksAgainIsSentNothingMoreOfWhatItAskedForBefore() {
        MembersRig again = new MembersRig("a", rig.fake.afterProcessCrash());
        again.host.openAll(name -> true, new MembersRig.MustBeDone());
        again.fake.run();
        MembersRig.Member member = again.new Member(2, "b");
        member.dial();
        member.say(member.hello(as, as.start()));
        Pull pull = new Pull(0, Chain.Link.START, CREDIT);
        member.say(pull);
        int once = member.all(LogData.class).size();
        member.forget();
        again.fake.hold(FakePorts.every(FakePorts.Kind.READ));

        member.say(pull);
        member.say(pull);
        again.fake.holdNothing();

        assertThat(once).isPositive();
        assertThat(member.all(LogData.class)).hasSize(once);
    }
}
