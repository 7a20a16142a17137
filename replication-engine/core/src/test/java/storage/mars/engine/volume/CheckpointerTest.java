// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import static org.assertj.core.api.Assertions.assertThat;
import static storage.mars.engine.fake.FakePorts.every;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import storage.mars.engine.fake.FakePorts.Kind;
import storage.mars.engine.fake.FakePorts.Op;
import storage.mars.engine.fake.LogRig;
import storage.mars.engine.log.Blocks;
import storage.mars.engine.log.LogRecovery.Found;
import storage.mars.engine.log.RecordType;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.volume.Checkpointer.State;

class CheckpointerTest {

    private static final int BLOCK = Blocks.SIZE;
    private final VolumeRig rig = new VolumeRig();

    private void checkpoint() {
        rig.checkpointer.start();
        rig.fake.run();
    }

    @Test
    void theCheckpointIsWhatWasAppliedBeforeTheSync() {
        rig.write(0, 1, 1);
        rig.fake.run();
        long applied = rig.feed.applied();
        rig.fake.hold(every(Kind.SYNC));
        checkpoint();
        rig.write(1, 1, 2);
        rig.fake.run();
        assertThat(rig.feed.applied()).isGreaterThan(applied);

        rig.fake.holdNothing();

        assertThat(rig.checkpointer.position()).isEqualTo(applied);
        assertThat(rig.checkpoints).isEqualTo(1);
    }

    @Test
    void nothingIsRecordedBeforeTheImagesAreSynced() {
        rig.write(0, 1, 1);
        rig.fake.run();
        int before = rig.fake.done(Kind.LOG_WRITE).size();
        rig.fake.hold(every(Kind.SYNC));

        checkpoint();

        assertThat(rig.fake.done(Kind.LOG_WRITE)).hasSize(before);
        assertThat(rig.checkpointer.position()).isZero();
        assertThat(rig.checkpointer.state()).isEqualTo(State.SYNCING);
    }

    @Test
    void aCheckpointNeverCountsWhatIsNotInTheImage() {
        rig.write(0, 1, 1);
        rig.fake.run();
        rig.fake.hold(every(Kind.WRITE));
        rig.write(1, 1, 2);
        rig.fake.run();
        rig.write(2, 1, 3);
        rig.fake.run();

        checkpoint();

        assertThat(rig.checkpointer.position()).isEqualTo(3L * BLOCK);
        assertThat(rig.log.tail.durable()).isEqualTo(7L * BLOCK);
    }

    @Test
    void recoveryFromACheckpointFindsTheRest() {
        rig.write(0, 1, 1);
        rig.fake.run();
        checkpoint();
        rig.write(1, 1, 2);
        rig.fake.run();
        List<Long> shown = new ArrayList<>();

        Found found = LogRig.recover(rig.fake.afterPowerLoss(), rig.metadata.current(), shown);

        assertThat(found).isEqualTo(new Found.Sound(5L * BLOCK, rig.log.tail.link(), 0));
        assertThat(shown).containsExactly(3L * BLOCK);
        assertThat(rig.syncedImage(0, 2)).containsExactly(1, 0);
    }

    @Test
    void segmentsGoOnlyBelowTheCheckpointAndWhatMembersNeed() {
        rig.log.fillTo(2L * LogRig.SEGMENT);
        rig.write(0, 1, 1);
        rig.fake.run();
        rig.retained = LogRig.SEGMENT;
        assertThat(rig.log.segments.start()).isZero();
        rig.checkpointer.releaseSegments();
        assertThat(rig.log.segments.start()).isZero();

        checkpoint();

        assertThat(rig.log.segments.start()).isEqualTo(LogRig.SEGMENT);
        rig.retained = Long.MAX_VALUE;
        rig.checkpointer.releaseSegments();
        assertThat(rig.log.segments.start()).isEqualTo(2L * LogRig.SEGMENT);
    }

    @Test
    void afterAFailedSyncAllSinceTheCheckpointIsWrittenAgain() {
        rig.write(0, 1, 1);
        rig.fake.run();
        checkpoint();
        rig.write(1, 1, 2);
        rig.write(2, 1, 3);
        rig.fake.run();
        rig.log.tail.releaseIdleMemory();
        rig.fake.failNext(every(Kind.SYNC), IoFailure.Kind.IO_ERROR);

        checkpoint();

        assertThat(rig.checkpointer.trouble()).contains("cannot be synced");
        assertThat(rig.checkpointer.position()).isEqualTo(3L * BLOCK);
        assertThat(rig.checkpointer.state()).isEqualTo(State.IDLE);
        assertThat(rig.image(0, 3)).containsExactly(1, 2, 3);
        checkpoint();
        assertThat(rig.checkpointer.trouble()).isNull();
        assertThat(rig.checkpointer.position()).isEqualTo(rig.log.tail.durable());
        assertThat(rig.syncedImage(0, 3)).containsExactly(1, 2, 3);
    }

    @Test
    void readsWaitUntilTheIndexKnowsWhatTheImageLost() {
        rig.write(0, 1, 1);
        rig.fake.run();
        rig.log.tail.releaseIdleMemory();
        rig.fake.failNext(every(Kind.SYNC), IoFailure.Kind.IO_ERROR);
        rig.fake.hold(every(Kind.READ, "log/"));
        checkpoint();
        assertThat(rig.checkpointer.state()).isEqualTo(State.REFEEDING);
        ByteBuffer into = ByteBuffer.allocate(BLOCK);
        List<@Nullable IoFailure> told = new ArrayList<>();

        rig.reader.read(0, 0, into, false, told::add);
        rig.fake.run();

        assertThat(told).isEmpty();
        rig.fake.holdNothing();
        assertThat(told).hasSize(1).containsOnlyNulls();
        assertThat(into.get(0)).isEqualTo((byte) 1);
    }

    @Test
    void aReadOfTheImageThatBeganBeforeAFailedSyncWaitsToo() {
        rig.write(0, 1, 1);
        rig.fake.run();
        rig.log.tail.releaseIdleMemory();
        rig.fake.hold(every(Kind.READ));
        ByteBuffer into = ByteBuffer.allocate(BLOCK);
        List<@Nullable IoFailure> told = new ArrayList<>();
        rig.reader.read(0, 0, into, false, told::add);
        rig.fake.failNext(every(Kind.SYNC), IoFailure.Kind.IO_ERROR);
        checkpoint();
        assertThat(rig.checkpointer.state()).isEqualTo(State.REFEEDING);

        rig.fake.hold(every(Kind.READ, "log/"));
        rig.fake.run();

        assertThat(told).isEmpty();
        rig.fake.holdNothing();
        assertThat(told).hasSize(1).containsOnlyNulls();
        assertThat(into.get(0)).isEqualTo((byte) 1);
    }

    @Test
    void whatDoesNotFitIntoTheIndexAgainIsWrittenInParts() {
        VolumeRig small = new VolumeRig(64);
        for (int i = 0; i < 300; i++) {
            small.write(i % 100 * 2L, 1, i / 100 + 1);
            small.fake.run();
            if (i % 10 == 9) {
                small.zero(RecordType.ZERO, i % 100 * 2L, 1);
                small.fake.run();
            }
        }
        small.log.tail.releaseIdleMemory();
        small.mostEntries = 0;
        small.fake.failNext(every(Kind.SYNC), IoFailure.Kind.IO_ERROR);
        small.fake.hold(every(Kind.WRITE));
        small.checkpointer.start();
        small.fake.run();
        assertThat(small.checkpointer.state()).isEqualTo(State.MAKING_ROOM);
        List<@Nullable IoFailure> told = new ArrayList<>();
        small.reader.read(0, 0, ByteBuffer.allocate(BLOCK), false, told::add);
        small.fake.run();
        assertThat(told).isEmpty();

        small.fake.holdNothing();

        assertThat(told).hasSize(1).containsOnlyNulls();
        assertThat(small.checkpointer.state()).isEqualTo(State.IDLE);
        assertThat(small.mostEntries).isBetween(32, 64);
        small.checkpointer.start();
        small.fake.run();
        assertThat(small.checkpointer.position()).isEqualTo(small.log.tail.durable());
        for (int i = 0; i < 100; i++) {
            assertThat(small.syncedImage(i * 2L, 1)).containsExactly(i % 10 == 9 ? 0 : 3);
        }
    }

    @Test
    void aSyncThatFailsWhileRoomIsMadeBeginsAgain() {
        VolumeRig small = new VolumeRig(64);
        for (int i = 0; i < 200; i++) {
            small.write(i * 2L, 1, 1);
            small.fake.run();
        }
        small.fake.failNext(every(Kind.SYNC), IoFailure.Kind.IO_ERROR);
        small.fake.hold(every(Kind.WRITE));
        small.checkpointer.start();
        small.fake.run();
        assertThat(small.checkpointer.state()).isEqualTo(State.MAKING_ROOM);
        small.fake.hold(op -> op.kind() == Kind.WRITE && small.fake.done(Kind.WRITE).size() > 205);
        small.fake.run();
        small.fake.failNext(every(Kind.SYNC), IoFailure.Kind.IO_ERROR);

        small.images.sync(failure -> {});
        small.fake.run();
        small.fake.holdNothing();

        assertThat(small.checkpointer.state()).isEqualTo(State.IDLE);
        small.checkpointer.start();
        small.fake.run();
        for (int i = 0; i < 200; i++) {
            assertThat(small.syncedImage(i * 2L, 1)).containsExactly(1);
        }
    }

    @Test
    void readsWaitFromTheFailureOnWhileARoundEnds() {
        rig.write(0, 1, 1);
        rig.fake.run();
        rig.fake.hold(op -> op.kind() == Kind.SYNC || op.kind() == Kind.WRITE);
        checkpoint();
        rig.write(1, 1, 2);
        rig.fake.run();
        rig.fake.failNext(every(Kind.SYNC), IoFailure.Kind.IO_ERROR);
        rig.fake.hold(every(Kind.WRITE));
        rig.fake.run();
        assertThat(rig.checkpointer.state()).isEqualTo(State.DRAINING);
        List<@Nullable IoFailure> told = new ArrayList<>();

        rig.reader.read(0, 0, ByteBuffer.allocate(BLOCK), false, told::add);
        rig.fake.run();

        assertThat(told).isEmpty();
        rig.fake.holdNothing();
        assertThat(told).hasSize(1).containsOnlyNulls();
        assertThat(rig.image(0, 2)).containsExactly(1, 2);
        checkpoint();
        assertThat(rig.syncedImage(0, 2)).containsExactly(1, 2);
    }

    @Test
    void aSyncThatFailedForSomebodyElseCountsToo() {
        rig.write(0, 1, 1);
        rig.fake.run();
        rig.fake.failNext(every(Kind.SYNC), IoFailure.Kind.IO_ERROR);
        List<@Nullable IoFailure> told = new ArrayList<>();

        rig.images.sync(told::add);
        rig.checkpointer.start();
        rig.fake.run();

        assertThat(told).hasSize(1).doesNotContainNull();
        assertThat(rig.checkpointer.position()).isZero();
        checkpoint();
        assertThat(rig.checkpointer.position()).isEqualTo(rig.log.tail.durable());
        assertThat(rig.syncedImage(0, 1)).containsExactly(1);
    }

    @Test
    void aSyncAfterAFailedOneProvesNothingSampledBeforeThat() {
        rig.write(0, 1, 1);
        rig.write(1, 1, 2);
        rig.fake.run();
        long sampled = rig.feed.applied();
        rig.fake.hold(every(Kind.SYNC));
        rig.images.sync(failure -> {});
        checkpoint();
        rig.fake.failNext(every(Kind.SYNC), IoFailure.Kind.IO_ERROR);
        letGo(Kind.SYNC);
        assertThat(rig.images.failedSyncs()).isEqualTo(1);
        assertThat(rig.feed.applied()).isEqualTo(sampled);
        checkpoint();
        assertThat(rig.checkpointer.state()).isEqualTo(State.SYNCING);

        letGo(Kind.SYNC);

        assertThat(rig.fake.done(Kind.SYNC)).hasSize(2);
        assertThat(rig.checkpointer.state()).isEqualTo(State.SYNCING);
        assertThat(rig.checkpointer.position()).isZero();
        List<Long> shown = new ArrayList<>();
        LogRig.recover(rig.fake.afterPowerLoss(), rig.metadata.current(), shown);
        assertThat(shown).startsWith((long) BLOCK);
        rig.fake.holdNothing();
        assertThat(rig.checkpointer.position()).isEqualTo(sampled);
        assertThat(rig.checkpoints).isEqualTo(1);
    }

    /** The operation of that kind that was asked for first is done, and no other of its kind. */
    private void letGo(Kind kind) {
        Op first = rig.fake.pending(kind).getFirst();
        rig.fake.hold(op -> op.kind() == kind && !op.equals(first));
        rig.fake.run();
    }

    @Test
    void aLinkThatIsFoundAfterAFailedSyncIsNotThatOfTheNextCheckpoint() {
        rig.writeOneBackAndOneNot();
        rig.fake.hold(every(Kind.READ, "log/"));
        checkpoint();
        Op first = rig.fake.pending(Kind.READ).getFirst();
        rig.fake.hold(first::equals);
        rig.fake.failNext(every(Kind.SYNC), IoFailure.Kind.IO_ERROR);
        rig.images.sync(failure -> {});
        rig.fake.run();
        assertThat(rig.checkpointer.state()).isEqualTo(State.IDLE);
        rig.write(2, 1, 3);
        rig.fake.run();
        rig.log.tail.releaseIdleMemory();
        rig.fake.hold(every(Kind.READ, "log/"));
        checkpoint();
        long sampled = rig.feed.applied();
        assertThat(rig.checkpointer.state()).isEqualTo(State.FINDING_LINK);
        assertThat(sampled).isGreaterThan(3L * BLOCK);

        letGo(Kind.READ);

        assertThat(rig.checkpointer.state()).isEqualTo(State.FINDING_LINK);
        rig.fake.holdNothing();
        assertThat(rig.checkpointer.position()).isEqualTo(sampled);
        assertThat(rig.checkpoints).isEqualTo(1);
    }

    @Test
    void aSyncThatFailsWhileACheckpointIsRecordedLosesNoSegment() {
        rig.log.fillTo(LogRig.SEGMENT);
        rig.write(20, 1, 1);
        rig.fake.run();
        rig.fake.hold(every(Kind.LOG_WRITE, "metadata"));
        checkpoint();
        assertThat(rig.checkpointer.state()).isEqualTo(State.RECORDING);
        rig.write(21, 1, 2);
        rig.fake.run();
        rig.log.tail.releaseIdleMemory();
        rig.fake.failNext(every(Kind.SYNC), IoFailure.Kind.IO_ERROR);
        rig.images.sync(failure -> {});
        rig.fake.run();
        assertThat(rig.checkpointer.state()).isEqualTo(State.DRAINING);

        rig.fake.holdNothing();

        assertThat(rig.damage).isEmpty();
        assertThat(rig.checkpointer.state()).isEqualTo(State.IDLE);
        assertThat(rig.checkpointer.position()).isEqualTo(LogRig.SEGMENT + 3L * BLOCK);
        assertThat(rig.image(20, 2)).containsExactly(1, 2);
    }

    @Test
    void syncsRunOneAfterTheOther() {
        rig.fake.hold(every(Kind.SYNC));
        List<@Nullable IoFailure> told = new ArrayList<>();
        rig.images.sync(told::add);
        rig.images.sync(told::add);
        rig.images.sync(told::add);
        rig.fake.run();

        assertThat(rig.fake.pending(Kind.SYNC)).hasSize(1);
        rig.fake.failNext(every(Kind.SYNC), IoFailure.Kind.IO_ERROR);
        rig.fake.holdNothing();
        assertThat(rig.fake.done(Kind.SYNC)).hasSize(2);
        assertThat(told).hasSize(3);
        assertThat(told.getFirst()).isNotNull();
        assertThat(told.subList(1, 3)).containsOnlyNulls();
        assertThat(rig.images.failedSyncs()).isEqualTo(1);
    }

    @Test
    void aFailedRecordingIsTold() {
        rig.write(0, 1, 1);
        rig.fake.run();
        rig.fake.failNext(every(Kind.LOG_WRITE, "metadata"), IoFailure.Kind.IO_ERROR);

        checkpoint();

        assertThat(rig.metadataFailure).isNotNull();
        assertThat(rig.checkpoints).isZero();
        assertThat(rig.checkpointer.position()).isZero();
    }

    @Test
    void aDamagedFrameAtTheAppliedPositionMakesNoCheckpoint() {
        rig.writeOneBackAndOneNot();
        rig.fake.file(LogRig.segment(0)).flip(3 * BLOCK);

        checkpoint();

        assertThat(rig.checkpointer.trouble()).contains("log at " + 3 * BLOCK);
        assertThat(rig.checkpointer.position()).isZero();
        assertThat(rig.checkpointer.state()).isEqualTo(State.IDLE);
    }

    @Test
    void stoppingFailsTheReadsThatWait() {
        rig.write(0, 1, 1);
        rig.fake.run();
        rig.log.tail.releaseIdleMemory();
        rig.fake.failNext(every(Kind.SYNC), IoFailure.Kind.IO_ERROR);
        rig.fake.hold(every(Kind.READ, "log/"));
        checkpoint();
        List<@Nullable IoFailure> told = new ArrayList<>();
        rig.reader.read(0, 0, ByteBuffer.allocate(BLOCK), false, told::add);

        rig.checkpointer.stop();
        rig.fake.holdNothing();

        assertThat(told).hasSize(1).doesNotContainNull();
        assertThat(rig.checkpointer.state()).isEqualTo(State.STOPPED);
    }
}
