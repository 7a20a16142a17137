// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import static org.assertj.core.api.Assertions.assertThat;
import static storage.mars.engine.fake.FakePorts.every;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import storage.mars.engine.fake.FakePorts;
import storage.mars.engine.fake.FakePorts.Kind;
import storage.mars.engine.fake.LogRig;
import storage.mars.engine.log.AlignedBuffers;
import storage.mars.engine.log.Chain.Link;
import storage.mars.engine.log.LogAccess;
import storage.mars.engine.log.RecordType;
import storage.mars.engine.port.IoFailure;

class WriteBackTest {

    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private final VolumeRig rig = new VolumeRig();

    private static VolumeRig sharing(AlignedBuffers buffers) {
        LogRig log = new LogRig();
        LogAccess access = new LogAccess(log.tail, log.log.reader(), buffers, log.log.history());
        return new VolumeRig(log, access, new VolumeIndex(new IndexMemory(1 << 20)), null);
    }

    @Test
    void durableBlocksReachTheImageFromTheWindow() {
        rig.write(3, 2, 7);
        rig.write(9, 1, 8);
        rig.fake.run();

        assertThat(rig.image(2, 8)).containsExactly(0, 7, 7, 0, 0, 0, 0, 8);
        assertThat(rig.index.isDirty()).isFalse();
        assertThat(rig.feed.applied()).isEqualTo(rig.log.tail.durable());
        assertThat(rig.fake.done(Kind.READ)).isEmpty();
    }

    @Test
    void nothingIsGatheredInAHurry() {
        rig.writesBack = false;
        rig.write(3, 2, 7);
        rig.fake.run();

        rig.writeBack.wake();
        assertThat(rig.fake.pending(Kind.WRITE)).isEmpty();
        rig.writeBack.hurry();

        assertThat(rig.fake.pending(Kind.WRITE)).hasSize(1);
    }

    @Test
    void aRoundIsTimedOnceItHasWrittenAll() {
        rig.fake.hold(every(Kind.WRITE));
        rig.write(3, 2, 7);
        rig.fake.run();
        assertThat(rig.writeBack.latency().count()).isZero();

        rig.fake.advance(7_000_000);
        rig.fake.holdNothing();

        assertThat(rig.writeBack.latency().count()).isEqualTo(1);
        assertThat(rig.writeBack.latency().sumNanos()).isEqualTo(7_000_000);
    }

    @Test
    void nothingReachesTheImageBeforeItIsDurable() {
        rig.fake.hold(every(Kind.LOG_WRITE, "log/"));
        rig.write(3, 2, 7);
        rig.fake.run();

        rig.writeBack.wake();
        rig.fake.run();

        assertThat(rig.fake.done(Kind.WRITE)).isEmpty();
        assertThat(rig.read(3, 1)).containsExactly(7);
    }

    @Test
    void whatIsNotInMemoryIsReadFromTheSegments() {
        rig.writesBack = false;
        for (int i = 0; i < 40; i++) {
            rig.write(i * 7 % 40, 1, i + 1);
            rig.fake.run();
        }
        List<Integer> expected = rig.read(0, 40);
        assertThat(rig.log.tail.releaseIdleMemory()).isTrue();

        rig.writeBack.wake();
        rig.fake.run();

        assertThat(rig.image(0, 40)).isEqualTo(expected);
        assertThat(rig.damage).isEmpty();
    }

    /** Frames of one to fifteen records of up to 64 KiB, in an order that is not the image's. */
    @Test
    void longBacklogIsReadBackWholeAFewReadsAtATime() {
        rig.writesBack = false;
        int[] expected = new int[900];
        for (int i = 0; i < 90; i++) {
            int block = i * 37 % 90 * 10;
            int blocks = 1 + i % 10;
            rig.write(block, blocks, i % 120 + 1);
            Arrays.fill(expected, block, block + blocks, i % 120 + 1);
            if (i % 15 < i % 4) {
                rig.fake.run();
            }
        }
        rig.fake.run();
        assertThat(rig.log.tail.releaseIdleMemory()).isTrue();
        int readsBefore = rig.fake.done(Kind.READ).size();

        rig.writesBack = true;
        rig.writeBack.wake();
        rig.fake.run();

        assertThat(rig.image(0, 900)).isEqualTo(Arrays.stream(expected).boxed().toList());
        assertThat(rig.damage).isEmpty();
        assertThat(rig.index.isDirty()).isFalse();
        assertThat(rig.fake.done(Kind.READ).size() - readsBefore).isLessThan(20);
    }

    @Test
    void neighboursAreOneWrite() {
        rig.fake.hold(every(Kind.LOG_WRITE, "log/"));
        rig.write(5, 1, 1);
        rig.write(4, 1, 2);
        rig.write(6, 2, 3);

        rig.fake.holdNothing();

        assertThat(rig.fake.done(Kind.WRITE)).hasSize(1);
        assertThat(rig.image(4, 4)).containsExactly(2, 1, 3, 3);
    }

    @Test
    void zeroRangesAreDoneBeforeBlocks() {
        rig.write(0, 8, 1);
        rig.fake.run();
        rig.fake.hold(every(Kind.ZERO));
        rig.zero(RecordType.TRIM, 0, 8);
        rig.write(3, 1, 9);
        rig.fake.run();

        int writes = rig.fake.done(Kind.WRITE).size();

        assertThat(rig.fake.pending(Kind.ZERO)).hasSize(1);
        assertThat(rig.fake.pending(Kind.WRITE)).isEmpty();
        assertThat(rig.read(0, 8)).containsExactly(0, 0, 0, 9, 0, 0, 0, 0);
        rig.fake.holdNothing();
        assertThat(rig.fake.done(Kind.WRITE)).hasSize(writes + 1);
        assertThat(rig.image(0, 8)).containsExactly(0, 0, 0, 9, 0, 0, 0, 0);
    }

    @Test
    void aBlockThatIsRewrittenDuringARoundIsWrittenAgain() {
        rig.fake.hold(every(Kind.WRITE));
        rig.write(0, 1, 1);
        rig.fake.run();
        rig.write(0, 1, 2);
        rig.fake.run();

        assertThat(rig.read(0, 1)).containsExactly(2);
        assertThat(rig.fake.pending(Kind.WRITE)).hasSize(1);
        rig.fake.holdNothing();
        assertThat(rig.image(0, 1)).containsExactly(2);
        assertThat(rig.feed.applied()).isEqualTo(rig.log.tail.durable());
    }

    @Test
    void aFailedImageWriteIsTriedAgainAndStaysReadable() {
        rig.fake.failNext(every(Kind.WRITE), IoFailure.Kind.IO_ERROR);
        rig.write(0, 1, 1);
        rig.write(9, 1, 2);
        rig.fake.run();

        assertThat(rig.writeBack.trouble()).contains("image cannot be written");
        assertThat(rig.feed.applied()).isLessThan(rig.log.tail.durable());
        assertThat(rig.read(0, 10)).containsExactly(1, 0, 0, 0, 0, 0, 0, 0, 0, 2);
        rig.fake.advance(SECOND);
        assertThat(rig.writeBack.trouble()).isNull();
        assertThat(rig.image(0, 10)).containsExactly(1, 0, 0, 0, 0, 0, 0, 0, 0, 2);
        assertThat(rig.feed.applied()).isEqualTo(rig.log.tail.durable());
    }

    @Test
    void aFailedZeroingIsTriedAgainAndStaysReadable() {
        rig.write(0, 2, 1);
        rig.fake.run();
        rig.fake.failNext(every(Kind.ZERO), IoFailure.Kind.IO_ERROR);
        rig.zero(RecordType.ZERO, 0, 1);
        rig.write(1, 1, 5);
        rig.fake.run();

        assertThat(rig.image(0, 2)).containsExactly(1, 1);
        assertThat(rig.read(0, 2)).containsExactly(0, 5);
        rig.fake.advance(SECOND);
        assertThat(rig.image(0, 2)).containsExactly(0, 5);
    }

    @Test
    void completionsInsideOfCallsEndARoundOnce() {
        rig.writesBack = false;
        for (int i = 0; i < 100; i++) {
            rig.write(i * 3L, 1, i + 1);
            rig.zero(RecordType.ZERO, i * 3L + 1, 1);
        }
        rig.fake.run();
        rig.fake.completeInsideOfCalls();

        rig.writeBack.wake();
        rig.fake.run();

        assertThat(rig.index.isDirty()).isFalse();
        assertThat(rig.writeBack.isRunning()).isFalse();
        assertThat(rig.image(0, 6)).containsExactly(1, 0, 0, 2, 0, 0);
        rig.write(0, 1, 9);
        rig.fake.run();
        rig.writeBack.wake();
        rig.fake.run();
        assertThat(rig.image(0, 1)).containsExactly(9);
    }

    @Test
    void zeroRangesInFlightAreBoundedAndComeBeforeBlocks() {
        rig.fake.hold(op -> op.kind() == Kind.ZERO || op.kind() == Kind.WRITE);
        rig.writesBack = false;
        for (int i = 0; i < 100; i++) {
            rig.write(i * 3L, 1, i + 1);
            rig.zero(RecordType.ZERO, i * 3L + 1, 1);
        }
        rig.fake.run();

        rig.writeBack.wake();
        rig.fake.run();

        assertThat(rig.fake.pending(Kind.ZERO)).hasSize(64);
        assertThat(rig.fake.pending(Kind.WRITE)).isEmpty();
        rig.fake.hold(every(Kind.WRITE));
        rig.fake.run();
        assertThat(rig.fake.pending(Kind.ZERO)).isEmpty();
        assertThat(rig.fake.pending(Kind.WRITE)).hasSize(100);
        rig.fake.holdNothing();
        assertThat(rig.index.isDirty()).isFalse();
    }

    @Test
    void damageOfTheLogIsToldAndNothingIsWritten() {
        rig.writesBack = false;
        rig.write(0, 1, 1);
        rig.fake.run();
        rig.log.tail.releaseIdleMemory();
        rig.fake.file(LogRig.segment(0)).flip(2 * 4096 + 5);

        rig.writeBack.wake();
        rig.fake.run();

        assertThat(rig.damage).hasSize(1).first().asString().contains("payload checksum");
        assertThat(rig.fake.done(Kind.WRITE)).isEmpty();
        assertThat(rig.index.isDirty()).isTrue();
    }

    @Test
    void aRoundWaitsForItsTurnAndStopEndsIt() {
        rig.turns.take(() -> {});
        rig.write(0, 1, 1);
        rig.fake.run();
        assertThat(rig.writeBack.isRunning()).isTrue();
        assertThat(rig.fake.done(Kind.WRITE)).isEmpty();

        rig.writeBack.stop();
        rig.turns.giveBack();
        rig.fake.run();

        assertThat(rig.writeBack.isRunning()).isFalse();
        assertThat(rig.fake.done(Kind.WRITE)).isEmpty();
        rig.writeBack.restart();
        rig.fake.run();
        assertThat(rig.image(0, 1)).containsExactly(1);
    }

    @Test
    void manyResourcesShareFewBuffers() {
        AlignedBuffers buffers = new AlignedBuffers(4);
        List<VolumeRig> rigs = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            VolumeRig one = sharing(buffers);
            one.writesBack = false;
            for (int block = 0; block < 600; block += 2) {
                one.write(block, 1, i + 1);
            }
            one.fake.run();
            one.log.tail.releaseIdleMemory();
            rigs.add(one);
        }

        rigs.forEach(one -> one.writeBack.wake());
        for (int turn = 0; turn < 20; turn++) {
            rigs.forEach(one -> one.fake.run());
        }

        for (int i = 0; i < 5; i++) {
            assertThat(rigs.get(i).index.isDirty()).as("resource %d", i).isFalse();
            assertThat(rigs.get(i).image(598, 1)).containsExactly(i + 1);
        }
    }

    @Test
    void aStoppedRoundEndsWithWhatIsUnderWay() {
        rig.writesBack = false;
        for (int i = 0; i < 100; i++) {
            rig.zero(RecordType.ZERO, i * 2L, 1);
        }
        rig.write(1, 1, 7);
        rig.fake.run();
        rig.fake.hold(every(Kind.ZERO));
        rig.writeBack.wake();
        rig.fake.run();

        rig.writeBack.stop();
        rig.fake.holdNothing();

        assertThat(rig.writeBack.isRunning()).isFalse();
        assertThat(rig.fake.done(Kind.ZERO)).hasSize(64);
        assertThat(rig.fake.done(Kind.WRITE)).isEmpty();
        assertThat(rig.writeBack.trouble()).isNull();
        assertThat(rig.index.zeroRanges()).isEqualTo(100);
        rig.writeBack.restart();
        rig.fake.run();
        assertThat(rig.index.isDirty()).isFalse();
        assertThat(rig.image(0, 3)).containsExactly(0, 7, 0);
    }

    @Test
    void neighbouringZeroRangesAreOneOperation() {
        rig.writesBack = false;
        for (int i = 0; i < 10; i++) {
            rig.zero(RecordType.TRIM, i * 3L, 3);
        }
        rig.fake.run();

        rig.writeBack.wake();
        rig.fake.run();

        assertThat(rig.fake.done(Kind.ZERO)).hasSize(1);
        assertThat(rig.fake.done(Kind.ZERO).getFirst().length()).isEqualTo(30L * 4096);
    }

    /** Its memory is needed for new log long before the image has taken the old. */
    @Test
    void aSlowImageWriteGetsWhatWasDurableWhenItsRoundBegan() {
        VolumeRig small =
                new VolumeRig(new LogRig(new FakePorts(), 4 << 20, Long.MAX_VALUE, 0, Link.START));
        small.fake.hold(every(Kind.WRITE));
        small.write(100, 16, 7);
        small.write(116, 16, 8);
        small.write(0, 3, 6);
        small.fake.run();
        assertThat(small.fake.pending(Kind.WRITE)).hasSize(2);

        for (int i = 0; i < 200; i++) {
            small.write(200, 16, 9);
            small.fake.run();
        }
        assertThat(small.fake.pending(Kind.WRITE)).hasSize(2);
        small.writesBack = false;
        small.fake.holdNothing();

        assertThat(small.image(100, 1)).containsExactly(7);
        assertThat(small.image(115, 3)).containsExactly(7, 8, 8);
        assertThat(small.image(131, 2)).containsExactly(8, 0);
        assertThat(small.image(0, 4)).containsExactly(6, 6, 6, 0);
    }

    @Test
    void longStretchesAndSingleBlocksOfOneRoundAreNeighboursInTheImage() {
        rig.fake.hold(every(Kind.LOG_WRITE, "log/"));
        rig.write(19, 1, 1);
        rig.write(0, 16, 2);
        rig.write(16, 3, 3);
        rig.write(20, 16, 4);
        rig.write(36, 16, 4);
        rig.write(52, 8, 4);
        rig.write(30, 1, 5);

        rig.fake.holdNothing();

        int[] expected = new int[61];
        Arrays.fill(expected, 0, 16, 2);
        Arrays.fill(expected, 16, 19, 3);
        Arrays.fill(expected, 19, 20, 1);
        Arrays.fill(expected, 20, 60, 4);
        Arrays.fill(expected, 30, 31, 5);
        assertThat(rig.image(0, 61)).isEqualTo(Arrays.stream(expected).boxed().toList());
    }
}
