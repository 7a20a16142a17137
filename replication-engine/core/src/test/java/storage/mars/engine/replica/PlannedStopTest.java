// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static storage.mars.engine.fake.FakePorts.every;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import storage.mars.engine.fake.FakePorts;
import storage.mars.engine.fake.FakePorts.Kind;
import storage.mars.engine.log.Blocks;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.log.ReplicaMetadata.Switches;
import storage.mars.engine.port.IoFailure;

class PlannedStopTest {

    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final long FIRST_FRAME_END = 3L * Blocks.SIZE;

    private final PartsRig rig = PartsRig.created();
    private final List<String> done = new ArrayList<>();

    private PlannedStop stop() {
        PlannedStop stop =
                new PlannedStop(
                        rig.parts(),
                        rig.metadata,
                        rig.fake,
                        "the engine stops",
                        () -> done.add("done"));
        stop.start();
        rig.fake.run();
        return stop;
    }

    private void assertRested(long checkpoint, long end) {
        ReplicaMetadata found = PartsRig.on(rig.fake.afterPowerLoss()).current();
        assertThat(found.rested()).isTrue();
        assertThat(found.checkpoint().position()).isEqualTo(checkpoint);
        assertThat(found.durableKnown()).isEqualTo(end);
    }

    private void assertNotRested(long durableKnown) {
        ReplicaMetadata found = PartsRig.on(rig.fake.afterPowerLoss()).current();
        assertThat(found.rested()).isFalse();
        assertThat(found.durableKnown()).isEqualTo(durableKnown);
    }

    @Test
    void theImagesHaveAllOfTheLogAndTheMetadataSaySo() {
        rig.write(3, 7);

        PlannedStop stop = stop();

        assertThat(stop.state()).isEqualTo(PlannedStop.State.ENDED);
        assertThat(done).hasSize(1);
        assertRested(FIRST_FRAME_END, FIRST_FRAME_END);
        assertThat(rig.image(3)).isEqualTo(7);
        assertThat(rig.fake.file(PartsRig.IMAGE).isClosed()).isTrue();
    }

    @Test
    void aReplicaWithNothingNewOnlyRecordsThat() {
        stop();

        assertRested(0, 0);
        assertThat(rig.fake.done(Kind.SYNC)).isEmpty();
        assertThat(done).hasSize(1);
    }

    @Test
    void oneStepFollowsTheOther() {
        rig.write(3, 7);
        rig.fake.hold(every(Kind.LOG_WRITE, PartsRig.LOG));
        PlannedStop stop = stop();
        assertThat(stop.state()).isEqualTo(PlannedStop.State.DRAINING);

        rig.fake.hold(every(Kind.WRITE, PartsRig.IMAGE));
        rig.fake.run();
        assertThat(stop.state()).isEqualTo(PlannedStop.State.DRAINING);

        rig.fake.hold(every(Kind.SYNC, PartsRig.IMAGE));
        rig.fake.run();
        assertThat(stop.state()).isEqualTo(PlannedStop.State.CHECKPOINTING);

        rig.fake.hold(every(Kind.LOG_WRITE, PartsRig.META));
        rig.fake.run();
        assertThat(stop.state()).isEqualTo(PlannedStop.State.CHECKPOINTING);

        rig.fake.holdNothing();
        assertThat(stop.state()).isEqualTo(PlannedStop.State.ENDED);
        assertRested(FIRST_FRAME_END, FIRST_FRAME_END);
    }

    @Test
    void aCheckpointThatWasUnderWayIsFollowedByAnother() {
        rig.write(3, 7);
        rig.parts().writeBack.hurry();
        rig.fake.run();
        rig.parts().writeBack.wake();
        rig.fake.hold(every(Kind.SYNC, PartsRig.IMAGE));
        rig.fake.run();
        rig.parts().checkpointer.start();
        rig.write(4, 8);

        stop();
        rig.fake.holdNothing();

        assertRested(rig.parts().tail.end(), rig.parts().tail.end());
        assertThat(rig.image(4)).isEqualTo(8);
    }

    /** A planned restart stays short though the images are slow: the next start reads the log. */
    @ParameterizedTest
    @ValueSource(strings = {"WRITE", "SYNC"})
    void itGoesOnAfterASecondWithWhatThereIs(Kind slow) {
        rig.write(3, 7);
        rig.fake.hold(every(slow, PartsRig.IMAGE));
        PlannedStop stop = stop();
        rig.fake.advance(SECOND * 9 / 10);
        PlannedStop.State before = stop.state();

        rig.fake.advance(SECOND / 10);

        assertThat(before).isIn(PlannedStop.State.DRAINING, PlannedStop.State.CHECKPOINTING);
        assertThat(stop.state()).isEqualTo(PlannedStop.State.ENDED);
        assertRested(0, FIRST_FRAME_END);
        rig.fake.holdNothing();
        assertThat(done).hasSize(1);
        FakePorts next = rig.fake.afterPowerLoss();
        PartsRig again = PartsRig.on(next).open();
        assertThat(again.parts().index.isDirty()).isTrue();
        assertThat(again.parts().tail.end()).isEqualTo(FIRST_FRAME_END);
    }

    @Test
    void aLogThatIsStillWrittenAfterASecondIsNotAtRest() {
        rig.write(3, 7);
        rig.fake.hold(every(Kind.LOG_WRITE, PartsRig.LOG));
        PlannedStop stop = stop();

        rig.fake.advance(SECOND);

        assertThat(stop.state()).isEqualTo(PlannedStop.State.ENDED);
        assertThat(done).isEmpty();
        rig.fake.holdNothing();
        assertThat(done).hasSize(1);
        assertNotRested(0);
    }

    @Test
    void aFailedSyncOfTheImagesIsMadeUpFor() {
        rig.write(3, 7);
        rig.fake.failNext(every(Kind.SYNC, PartsRig.IMAGE), IoFailure.Kind.IO_ERROR);

        stop();

        assertRested(FIRST_FRAME_END, FIRST_FRAME_END);
        assertThat(rig.image(3)).isEqualTo(7);
    }

    @Test
    void whatIsNotToBeAppliedStaysInTheLog() {
        rig.metadata.update(
                draft -> draft.switches = new Switches(false, 0, 1L << 30), failure -> {});
        rig.parts().feed.limit(0);
        rig.write(3, 7);

        stop();

        assertRested(0, FIRST_FRAME_END);
        assertThat(rig.image(3)).isZero();
    }

    @Test
    void aLogThatFailsIsNotAtRest() {
        rig.write(3, 7);
        rig.fake.failNext(every(Kind.LOG_WRITE, PartsRig.LOG), IoFailure.Kind.IO_ERROR);

        PlannedStop stop = stop();

        assertThat(stop.state()).isEqualTo(PlannedStop.State.ENDED);
        assertThat(done).hasSize(1);
        assertNotRested(0);
    }

    @Test
    void aLogThatIsFoundDamagedIsNotAtRest() {
        rig.write(3, 7);
        rig.fake.hold(every(Kind.WRITE, PartsRig.IMAGE));
        PlannedStop stop = stop();

        stop.logDamaged("a payload is gone");
        rig.fake.holdNothing();

        assertThat(done).hasSize(1);
        assertNotRested(0);
    }

    @Test
    void metadataThatFailEndIt() {
        rig.write(3, 7);
        rig.fake.failNext(every(Kind.LOG_WRITE, PartsRig.META), IoFailure.Kind.IO_ERROR);

        PlannedStop stop = stop();

        assertThat(stop.state()).isEqualTo(PlannedStop.State.ENDED);
        assertThat(done).hasSize(1);
        assertNotRested(0);
    }

    // The start behind it

    @Test
    void theStartTakesItBackBeforeTheLogCanBeWritten() {
        rig.write(3, 7);
        stop();
        FakePorts next = rig.fake.afterPowerLoss();
        PartsRig again = PartsRig.on(next);
        next.hold(every(Kind.LOG_WRITE, PartsRig.META));

        again.open();

        assertThat(again.isOpen()).isFalse();
        assertThat(PartsRig.on(next.afterPowerLoss()).current().rested()).isTrue();
        next.holdNothing();
        assertThat(again.isOpen()).isTrue();
        assertThat(PartsRig.on(next.afterPowerLoss()).current().rested()).isFalse();
    }

    @Test
    void aStartThatCannotTakeItBackFails() {
        stop();
        FakePorts next = rig.fake.afterPowerLoss();
        PartsRig again = PartsRig.on(next);
        next.failNext(every(Kind.LOG_WRITE, PartsRig.META), IoFailure.Kind.IO_ERROR);

        again.open();

        assertThat(again.isOpen()).isFalse();
        assertThat(again.refused()).singleElement().asString().contains("metadata");
    }

    @Test
    void aLogThatWasLostMeanwhileBeginsAnewAndGoesOn() {
        rig.write(3, 7);
        stop();
        FakePorts next = withoutLog(rig.fake.afterPowerLoss());
        PartsRig again = PartsRig.on(next).open();
        assertThat(again.current().logStart()).isEqualTo(FIRST_FRAME_END);
        assertThat(again.parts().segments.start()).isEqualTo(FIRST_FRAME_END);

        again.write(4, 8);
        next.run();

        PartsRig third = PartsRig.on(next.afterPowerLoss()).open();
        assertThat(third.parts().tail.end()).isEqualTo(5L * Blocks.SIZE);
        assertThat(third.parts().index.blocks()).isEqualTo(1);
        assertThat(PartsRig.on(withoutLog(rig.fake.afterPowerLoss())).open().isOpen()).isTrue();
    }

    @Test
    void aLogThatIsLostWithoutAPlannedStopIsDamage() {
        rig.write(3, 7);
        stop();
        FakePorts next = rig.fake.afterPowerLoss();
        PartsRig.on(next).open();

        PartsRig killed = PartsRig.on(withoutLog(next.afterPowerLoss())).open();

        assertThat(killed.isOpen()).isFalse();
        assertThat(killed.refused()).singleElement().asString().contains("is missing");
    }

    private static FakePorts withoutLog(FakePorts fake) {
        fake.names().stream().filter(name -> name.contains(PartsRig.LOG)).forEach(fake::lose);
        return fake;
    }
}
