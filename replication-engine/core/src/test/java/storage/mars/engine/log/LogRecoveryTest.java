// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import static org.assertj.core.api.Assertions.assertThat;
import static storage.mars.engine.fake.FakePorts.every;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import storage.mars.engine.fake.FakeFile;
import storage.mars.engine.fake.FakePorts;
import storage.mars.engine.fake.FakePorts.Kind;
import storage.mars.engine.fake.LogRig;
import storage.mars.engine.log.Chain.Link;
import storage.mars.engine.log.LogRecovery.Found;
import storage.mars.engine.log.ReplicaMetadata.Checkpoint;
import storage.mars.engine.port.IoFailure;

class LogRecoveryTest {

    private static final int BLOCK = Blocks.SIZE;
    private static final int SEGMENT = LogRig.SEGMENT;
    private final LogRig rig = new LogRig();
    private final List<Long> shown = new ArrayList<>();

    private Found recover(FakePorts fake) {
        return recover(fake, rig.metadata());
    }

    private Found recover(FakePorts fake, ReplicaMetadata metadata) {
        shown.clear();
        return LogRig.recover(fake, metadata, shown);
    }

    private ReplicaMetadata known(long durable) {
        return LogRig.metadata(rig.history, new Checkpoint(0, Link.START), durable);
    }

    private static void assertEnd(Found found, long end) {
        assertThat(found)
                .isInstanceOfSatisfying(Found.Sound.class, s -> assertThat(s.end()).isEqualTo(end));
    }

    private static void assertCorrupt(Found found, long position, String why) {
        assertThat(found)
                .isInstanceOfSatisfying(
                        Found.Corrupt.class,
                        corrupt -> {
                            assertThat(corrupt.position()).isEqualTo(position);
                            assertThat(corrupt.reason()).contains(why);
                        });
    }

    @Test
    void anEmptyLogEndsWhereItBegins() {
        assertThat(recover(rig.fake.afterPowerLoss())).isEqualTo(new Found.Sound(0, Link.START, 0));
        assertThat(recover(new FakePorts())).isEqualTo(new Found.Sound(0, Link.START, 0));
    }

    @Test
    void whatWasDurableIsFoundAndShownInOrder() {
        rig.frame(0, 1, 1);
        rig.frame(1, 2, 2);
        rig.frame(2, 1, 3);

        Found found = recover(rig.fake.afterPowerLoss());

        assertThat(found).isEqualTo(new Found.Sound(8L * BLOCK, rig.tail.link(), 0));
        assertThat(shown).containsExactly(1L * BLOCK, 3L * BLOCK, 6L * BLOCK);
    }

    @Test
    void aLogOverManySegmentsIsFoundFromItsCheckpoint() {
        rig.fillTo(SEGMENT - 3 * BLOCK);
        rig.frame(0, 4, 1);
        Checkpoint checkpoint = new Checkpoint(rig.tail.durable(), rig.tail.link());
        rig.fillTo(2L * SEGMENT);
        rig.frame(0, 4, 1);

        Found found =
                recover(rig.fake.afterPowerLoss(), LogRig.metadata(rig.history, checkpoint, 0));

        assertThat(found).isEqualTo(new Found.Sound(rig.tail.durable(), rig.tail.link(), 0));
        assertThat(shown.getFirst()).isEqualTo(checkpoint.position());
        assertEnd(recover(rig.fake.afterPowerLoss()), rig.tail.durable());
    }

    @Test
    void aLogGoesOnAfterItsRecoveryAndIsFoundAgain() {
        rig.frame(0, 1, 1);
        FakePorts crashed = rig.fake.afterPowerLoss();
        Found.Sound found = (Found.Sound) recover(crashed);
        LogRig next = LogRig.after(crashed, found);
        EpochId second = new EpochId(3, 2, 0xf2);
        next.history = rig.history.startedAt(found.end(), second, LogRig.REPLICA);
        next.builder.epoch(second);
        next.control(RecordType.EPOCH);
        crashed.run();
        next.frame(1, 1, 2);

        Found again = recover(next.fake.afterPowerLoss(), next.metadata());

        assertThat(again).isEqualTo(new Found.Sound(next.tail.durable(), next.tail.link(), 0));
        assertThat(shown).containsExactly(1L * BLOCK, 3L * BLOCK, 5L * BLOCK);
    }

    /** Before the last batch, after it, and the bounds of its two frames. */
    private record LastBatch(FakePorts before, FakePorts after, int from, int middle, int to) {

        FakeFile file(FakePorts ports) {
            return ports.file(LogRig.segment(0));
        }
    }

    private LastBatch lastBatch() {
        rig.frame(0, 1, 1);
        FakePorts before = rig.fake.afterPowerLoss();
        int from = (int) rig.tail.end();
        rig.fake.hold(every(Kind.LOG_WRITE));
        rig.write(2, 2, 2);
        rig.builder.seal();
        int middle = (int) rig.tail.end();
        rig.write(4, 3, 3);
        rig.builder.seal();
        rig.fake.holdNothing();
        return new LastBatch(before, rig.fake.afterPowerLoss(), from, middle, (int) rig.tail.end());
    }

    private void assertTorn(LastBatch batch, int sector, FakePorts torn) {
        byte[] whole = batch.file(batch.after).data;
        int difference = Arrays.mismatch(batch.file(torn).data, whole);
        int end = difference < 0 ? batch.to : difference < batch.middle ? batch.from : batch.middle;

        Found found = recover(torn, known(batch.from));

        assertThat(found).as("sector %d", sector).isInstanceOf(Found.Sound.class);
        assertEnd(found, end);
    }

    @Test
    void aTailTornBehindAnySectorIsCutThere() {
        LastBatch batch = lastBatch();
        byte[] whole = batch.file(batch.after).data;

        for (int at = batch.from; at <= batch.to; at += 512) {
            FakePorts torn = batch.before.afterPowerLoss();
            batch.file(torn).overwrite(batch.from, Arrays.copyOfRange(whole, batch.from, at));
            assertTorn(batch, at / 512, torn);
        }
    }

    @Test
    void aTailThatMissesAnySectorIsCutThere() {
        LastBatch batch = lastBatch();
        byte[] old = batch.file(batch.before).data;

        for (int at = batch.from; at < batch.to; at += 512) {
            FakePorts torn = batch.after.afterPowerLoss();
            batch.file(torn).overwrite(at, Arrays.copyOfRange(old, at, at + 512));
            assertTorn(batch, at / 512, torn);
        }
    }

    @Test
    void damageBelowWhatWasKnownToBeDurableIsCorrupt() {
        rig.frame(0, 1, 1);
        rig.frame(1, 1, 2);
        FakePorts damaged = rig.fake.afterPowerLoss();
        damaged.file(LogRig.segment(0)).flip(4 * BLOCK + 7);

        assertCorrupt(
                recover(damaged, known(5L * BLOCK)), 3L * BLOCK, "durable up to " + 5 * BLOCK);
        assertEnd(recover(damaged, known(3L * BLOCK)), 3L * BLOCK);
    }

    @Test
    void aMissingSegmentBelowWhatWasKnownIsCorrupt() {
        rig.frame(0, 1, 1);

        assertCorrupt(recover(new FakePorts(), known(3L * BLOCK)), 0, "the segments end here");
    }

    @Test
    void aFrameThatWasSealedWhenTheDamagedOneWasDurableMakesItCorrupt() {
        rig.frame(0, 1, 1);
        rig.frame(1, 1, 2);
        rig.frame(2, 1, 3);
        FakePorts damaged = rig.fake.afterPowerLoss();
        damaged.file(LogRig.segment(0)).flip(3 * BLOCK);

        assertCorrupt(recover(damaged), 3L * BLOCK, "the frame at " + 5 * BLOCK + " says");
    }

    @Test
    void aWitnessIsFoundBehindAllThatGatheredDuringASlowWrite() {
        rig.frame(0, 1, 1);
        rig.fake.hold(every(Kind.LOG_WRITE));
        rig.write(1, 1, 2);
        rig.fake.run();
        while (rig.tail.end() < 20L << 20) {
            assertThat(rig.write(0, 16, 3)).isPositive();
            rig.builder.seal();
            rig.fake.run();
        }
        rig.fake.holdNothing();
        rig.frame(0, 1, 4);
        FakePorts damaged = rig.fake.afterPowerLoss();
        damaged.file(LogRig.segment(0)).flip(3 * BLOCK);

        assertCorrupt(recover(damaged), 3L * BLOCK, "says that it was durable");
    }

    @Test
    void framesOfOtherWritersAreNoWitnesses() {
        rig.frame(0, 1, 1);
        rig.frame(1, 1, 2);
        rig.frame(2, 1, 3);
        FakePorts damaged = rig.fake.afterPowerLoss();
        damaged.file(LogRig.segment(0)).flip(3 * BLOCK);
        rig.history = new EpochHistory(List.of(new Epoch(LogRig.EPOCH, 99, 0, Epoch.OPEN)));

        assertEnd(recover(damaged), 3L * BLOCK);
    }

    @Test
    void aFollowerThatLagsBehindALaterEpochIsSound() {
        rig.frame(0, 1, 1);
        EpochHistory later =
                new EpochHistory(List.of(new Epoch(LogRig.EPOCH, 99, 0, 1L << 30)))
                        .startedAt(1L << 29, new EpochId(4, 0, 5), 99);

        Found found =
                recover(
                        rig.fake.afterPowerLoss(),
                        LogRig.metadata(later, new Checkpoint(0, Link.START), 0));

        assertEnd(found, 3L * BLOCK);
    }

    @Test
    void framesBehindTheEndOfTheirEpochAreStale() {
        rig.frame(0, 1, 1);
        rig.frame(1, 1, 2);
        EpochHistory cut = rig.history.startedAt(3L * BLOCK, new EpochId(4, 0, 5), 99);

        Found found =
                recover(
                        rig.fake.afterPowerLoss(),
                        LogRig.metadata(cut, new Checkpoint(0, Link.START), 0));

        assertEnd(found, 3L * BLOCK);
    }

    @Test
    void aSegmentHeaderBehindTheEndOfItsEpochIsStale() {
        rig.fillTo(SEGMENT);
        rig.frame(0, 1, 1);
        EpochHistory cut = rig.history.startedAt(SEGMENT, new EpochId(4, 0, 5), 99);

        Found found =
                recover(
                        rig.fake.afterPowerLoss(),
                        LogRig.metadata(cut, new Checkpoint(0, Link.START), 0));

        assertEnd(found, SEGMENT);
    }

    @Test
    void framesOfARecycledSegmentAreStale() {
        rig.fillTo(SEGMENT);
        rig.frame(0, 1, 1);
        Checkpoint checkpoint = new Checkpoint(rig.tail.durable(), rig.tail.link());
        rig.segments.release(SEGMENT);
        rig.fake.run();
        rig.fillTo(2L * SEGMENT);
        rig.frame(0, 1, 1);
        int nonZero = rig.fake.file(LogRig.segment(3L * SEGMENT)).data[BLOCK];
        assertThat(nonZero).as("the spare is the recycled one").isNotZero();
        rig.fillTo(3L * SEGMENT);

        Found found =
                recover(rig.fake.afterPowerLoss(), LogRig.metadata(rig.history, checkpoint, 0));

        assertThat(found).isEqualTo(new Found.Sound(3L * SEGMENT, rig.tail.link(), 0));
    }

    @Test
    void whatALaterVersionWroteIsNeverCut() {
        rig.frame(0, 1, 1);
        rig.frame(1, 1, 2);
        FakePorts frame = patched(3 * BLOCK, bytes -> bytes.putShort(3 * BLOCK + 4, (short) 2));
        FakePorts record = patched(3 * BLOCK, bytes -> bytes.put(3 * BLOCK + 128, (byte) 60));
        FakePorts header = patched(0, bytes -> bytes.putInt(8, 2));

        assertCorrupt(recover(frame), 3L * BLOCK, "version 2 is not known");
        assertCorrupt(recover(record), 3L * BLOCK, "record type 60");
        assertCorrupt(recover(header), 0, "version 2 is not known");
    }

    private interface Patch {
        void apply(ByteBuffer segment);
    }

    /** The log with one block changed and sealed again. */
    private FakePorts patched(int block, Patch patch) {
        FakePorts fake = rig.fake.afterPowerLoss();
        FakeFile file = fake.file(LogRig.segment(0));
        ByteBuffer bytes = ByteBuffer.wrap(file.data.clone()).order(ByteOrder.LITTLE_ENDIAN);
        patch.apply(bytes);
        new Checksum().sealBlock(bytes, block);
        file.overwrite(0, bytes.array());
        return fake;
    }

    @Test
    void whatWasOnlyInACacheIsSyncedBeforeItIsTold() {
        rig.fillTo(SEGMENT);
        rig.frame(0, 1, 1);
        FakePorts crashed = rig.fake.afterProcessCrash();
        crashed.hold(every(Kind.SYNC));
        List<Found> found = start(crashed);
        crashed.run();

        assertThat(found).isEmpty();
        crashed.holdNothing();
        assertThat(found).hasSize(1);
        assertThat(crashed.done(Kind.SYNC))
                .extracting(op -> op.file())
                .containsExactly(LogRig.segment(0), LogRig.segment(SEGMENT));
    }

    private List<Found> start(FakePorts fake) {
        List<Found> found = new ArrayList<>();
        SegmentStore segments =
                new SegmentStore(fake.ports(), "log", LogRig.LAYOUT, Long.MAX_VALUE);
        segments.open(failure -> {});
        fake.run();
        new LogRecovery(segments, rig.metadata(), new AlignedBuffers(4), frame -> {}, found::add)
                .start();
        return found;
    }

    // The segment of the checkpoint

    /** Two frames in the second segment, with a checkpoint between them. */
    private Checkpoint inTheSecondSegment() {
        rig.fillTo(SEGMENT);
        rig.frame(0, 1, 1);
        Checkpoint checkpoint = new Checkpoint(rig.tail.durable(), rig.tail.link());
        rig.frame(1, 1, 2);
        return checkpoint;
    }

    private ReplicaMetadata at(Checkpoint checkpoint, long logStart) {
        return LogRig.metadata(rig.history, checkpoint, checkpoint.position())
                .with(draft -> draft.logStart = logStart);
    }

    private static ReplicaMetadata rested(ReplicaMetadata metadata, long durable) {
        return metadata.with(draft -> {
            draft.durableKnown = durable;
            draft.rested = true;
        });
    }

    private FakePorts lost() {
        FakePorts lost = rig.fake.afterPowerLoss();
        lost.lose(LogRig.segment(SEGMENT));
        return lost;
    }

    private FakePorts overwritten() {
        FakePorts overwritten = rig.fake.afterPowerLoss();
        byte[] rubbish = new byte[SEGMENT];
        Arrays.fill(rubbish, (byte) 0x5a);
        overwritten.file(LogRig.segment(SEGMENT)).overwrite(0, rubbish);
        return overwritten;
    }

    @Test
    void aLogWhoseCheckpointIsTheEndThatIsKnownIsNoTornTailWhenItsSegmentIsGone() {
        ReplicaMetadata metadata = at(inTheSecondSegment(), 0);

        assertCorrupt(recover(lost(), metadata), SEGMENT, "checkpoint points into is missing");
        assertCorrupt(recover(overwritten(), metadata), SEGMENT, "points into is damaged: no seg");
        assertEnd(recover(rig.fake.afterPowerLoss(), metadata), rig.tail.durable());
    }

    @Test
    void aLogThatBeganAtTheStartOfTheSegmentHasItsHeader() {
        ReplicaMetadata metadata = at(inTheSecondSegment(), SEGMENT);

        assertCorrupt(recover(lost(), metadata), SEGMENT, "is missing");
        assertCorrupt(recover(overwritten(), metadata), SEGMENT, "is damaged");
    }

    @Test
    void aLogThatBeganInsideOfTheSegmentHasItsFileOnly() {
        Checkpoint checkpoint = inTheSecondSegment();
        ReplicaMetadata nothing = at(checkpoint, checkpoint.position());
        ReplicaMetadata something = at(checkpoint, checkpoint.position() - BLOCK);

        assertEnd(recover(lost(), nothing), checkpoint.position());
        assertEnd(recover(overwritten(), nothing), checkpoint.position());
        assertCorrupt(recover(lost(), something), SEGMENT, "is missing");
        assertEnd(recover(overwritten(), something), checkpoint.position());
    }

    @Test
    void aCheckpointAtTheStartOfASegmentNeedsNothingOfIt() {
        rig.fillTo(SEGMENT);
        Checkpoint checkpoint = new Checkpoint(SEGMENT, rig.tail.link());
        rig.frame(0, 1, 1);

        assertEnd(recover(lost(), at(checkpoint, 0)), SEGMENT);
        assertEnd(recover(overwritten(), at(checkpoint, 0)), SEGMENT);
    }

    @Test
    void theEpochOfTheHeaderMayHaveBeenForgotten() {
        Checkpoint checkpoint = inTheSecondSegment();
        EpochId now = new EpochId(4, 0, 0xf4);
        EpochHistory pruned =
                new EpochHistory(
                        List.of(new Epoch(now, LogRig.REPLICA, checkpoint.position(), Epoch.OPEN)));

        Found found = recover(rig.fake.afterPowerLoss(), LogRig.metadata(pruned, checkpoint, 0));

        assertEnd(found, checkpoint.position());
    }

    // After a planned stop

    @Test
    void nothingIsReadOfALogThatTheImagesHaveAllOf() {
        inTheSecondSegment();
        Checkpoint end = new Checkpoint(rig.tail.durable(), rig.tail.link());
        FakePorts fake = rig.fake.afterPowerLoss();

        Found found = recover(fake, rested(at(end, 0), end.position()));

        assertThat(found).isEqualTo(new Found.Sound(end.position(), end.link(), 0));
        assertThat(shown).isEmpty();
        assertThat(fake.done(Kind.READ)).hasSize(1).allMatch(op -> op.length() == BLOCK);
        assertThat(fake.done(Kind.SYNC)).isEmpty();
    }

    @Test
    void aLogThatIsGoneAndNotNeededBeginsAnew() {
        inTheSecondSegment();
        Checkpoint end = new Checkpoint(rig.tail.durable(), rig.tail.link());
        ReplicaMetadata metadata = rested(at(end, 0), end.position());
        Found anew = new Found.Sound(end.position(), end.link(), end.position());

        assertThat(recover(lost(), metadata)).isEqualTo(anew);
        assertThat(recover(overwritten(), metadata)).isEqualTo(anew);
        assertThat(segmentsAfter(overwritten(), metadata).start()).isEqualTo(end.position());
        assertThat(segmentsAfter(rig.fake.afterPowerLoss(), metadata).start()).isZero();
    }

    private static SegmentStore segmentsAfter(FakePorts fake, ReplicaMetadata metadata) {
        SegmentStore segments =
                new SegmentStore(fake.ports(), "log", LogRig.LAYOUT, Long.MAX_VALUE);
        segments.open(failure -> {});
        fake.run();
        new LogRecovery(segments, metadata, new AlignedBuffers(4), frame -> {}, found -> {})
                .start();
        fake.run();
        return segments;
    }

    @Test
    void whatTheImagesLackIsReadUpToTheEndThatIsKnown() {
        Checkpoint checkpoint = inTheSecondSegment();
        Checkpoint end = new Checkpoint(rig.tail.durable(), rig.tail.link());
        rig.frame(2, 1, 3);

        Found found = recover(rig.fake.afterPowerLoss(), rested(at(checkpoint, 0), end.position()));

        assertThat(found).isEqualTo(new Found.Sound(end.position(), end.link(), 0));
        assertThat(shown).containsExactly(checkpoint.position());
    }

    @Test
    void aLogThatEndsBelowTheEndThatIsKnownIsCorrupt() {
        Checkpoint checkpoint = inTheSecondSegment();
        ReplicaMetadata metadata = rested(at(checkpoint, 0), rig.tail.durable());
        FakePorts damaged = rig.fake.afterPowerLoss();
        damaged.file(LogRig.segment(SEGMENT))
                .flip((int) (checkpoint.position() - SEGMENT + BLOCK + 7));

        assertCorrupt(recover(damaged, metadata), checkpoint.position(), "was durable up to");
        assertCorrupt(recover(lost(), metadata), SEGMENT, "is missing");
        assertCorrupt(recover(overwritten(), metadata), SEGMENT, "is damaged");
    }

    @Test
    void aHeaderThatCannotBeReadSaysNothingOfTheLog() {
        Checkpoint checkpoint = inTheSecondSegment();
        ReplicaMetadata metadata = at(checkpoint, 0);
        for (ReplicaMetadata each : List.of(metadata, rested(metadata, checkpoint.position()))) {
            FakePorts unreadable = rig.fake.afterPowerLoss();
            unreadable.failNext(every(Kind.READ), IoFailure.Kind.IO_ERROR);

            assertThat(recover(unreadable, each)).isInstanceOf(Found.Unreadable.class);
        }
    }

    @Test
    void aStorageThatFailsSaysNothingOfTheLog() {
        rig.frame(0, 1, 1);
        FakePorts unreadable = rig.fake.afterPowerLoss();
        unreadable.failNext(every(Kind.READ), IoFailure.Kind.IO_ERROR);
        FakePorts behind = rig.fake.afterPowerLoss();
        behind.failNext(
                op -> op.kind() == Kind.READ && op.position() == 4 * BLOCK,
                IoFailure.Kind.IO_ERROR);
        FakePorts unsynced = rig.fake.afterPowerLoss();
        unsynced.failNext(every(Kind.SYNC), IoFailure.Kind.IO_ERROR);

        assertThat(recover(unreadable)).isInstanceOf(Found.Unreadable.class);
        assertThat(recover(behind)).isInstanceOf(Found.Unreadable.class);
        assertThat(recover(unsynced)).isInstanceOf(Found.Unreadable.class);
    }
}
