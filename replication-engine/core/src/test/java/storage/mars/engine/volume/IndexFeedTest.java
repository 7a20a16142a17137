// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import static org.assertj.core.api.Assertions.assertThat;
import static storage.mars.engine.fake.FakePorts.every;

import org.junit.jupiter.api.Test;
import storage.mars.engine.fake.FakePorts;
import storage.mars.engine.fake.FakePorts.Kind;
import storage.mars.engine.fake.LogRig;
import storage.mars.engine.log.Blocks;
import storage.mars.engine.log.Chain;
import storage.mars.engine.log.RecordType;

class IndexFeedTest {

    private static final int BLOCK = Blocks.SIZE;
    private final VolumeRig rig = new VolumeRig();

    /** A received record: it is in the log, but not in the index. */
    private void receive(long block, int fill) {
        rig.log.frame(block, 1, fill);
    }

    @Test
    void whatBecomesDurableEntersTheIndexFromMemory() {
        rig.writesBack = false;
        receive(0, 1);

        assertThat(rig.feed.position()).isEqualTo(rig.log.tail.durable());
        assertThat(rig.feed.isCaughtUp()).isTrue();
        assertThat(rig.fake.done(Kind.READ)).isEmpty();
        assertThat(rig.read(0, 1)).containsExactly(1);
    }

    @Test
    void nothingBehindTheLimitEnters() {
        rig.feed.limit(3L * BLOCK);
        receive(0, 1);
        receive(0, 2);

        assertThat(rig.feed.position()).isEqualTo(3L * BLOCK);
        assertThat(rig.feed.applied()).isEqualTo(3L * BLOCK);
        assertThat(rig.feed.isCaughtUp()).isTrue();
        assertThat(rig.read(0, 1)).containsExactly(1);
        rig.log.tail.releaseIdleMemory();
        rig.feed.limit(Long.MAX_VALUE);
        rig.fake.run();
        assertThat(rig.read(0, 1)).containsExactly(2);
        assertThat(rig.feed.applied()).isEqualTo(rig.log.tail.durable());
    }

    @Test
    void pausedApplyDoesNotStopTheLog() {
        VolumeRig small =
                new VolumeRig(
                        new LogRig(new FakePorts(), 4 << 20, Long.MAX_VALUE, 0, Chain.Link.START));
        small.feed.limit(0);

        for (int i = 0; i < 200; i++) {
            assertThat(small.log.frame(i, 15, i)).as("write %d", i).isPositive();
        }

        small.feed.limit(Long.MAX_VALUE);
        small.fake.run();
        assertThat(small.feed.applied()).isEqualTo(small.log.tail.durable());
        assertThat(small.image(150, 1)).containsExactly((int) (byte) 150);
    }

    private void fallBehind() {
        rig.feed.limit(0);
        for (int i = 0; i < 5; i++) {
            receive(i, i + 1);
        }
        rig.log.tail.releaseIdleMemory();
        rig.fake.hold(every(Kind.READ));
        rig.feed.limit(Long.MAX_VALUE);
        rig.fake.run();
        assertThat(rig.fake.pending(Kind.READ)).hasSize(1);
        assertThat(rig.feed.isCaughtUp()).isFalse();
    }

    @Test
    void aRestartDuringAReadBeginsAgain() {
        rig.writesBack = false;
        fallBehind();

        rig.feed.restart(5L * BLOCK);
        rig.fake.hold(every(Kind.WRITE));
        rig.fake.run();

        assertThat(rig.feed.isCaughtUp()).isTrue();
        assertThat(rig.index.blocks()).isEqualTo(3);
        assertThat(rig.fake.done(Kind.READ)).hasSize(2);
    }

    @Test
    void aLimitThatComesDownDuringAReadHolds() {
        fallBehind();

        rig.feed.limit(5L * BLOCK);
        rig.fake.holdNothing();

        assertThat(rig.feed.position()).isEqualTo(5L * BLOCK);
        assertThat(rig.image(0, 5)).containsExactly(1, 2, 0, 0, 0);
    }

    @Test
    void aStoppedFeedTellsNothing() {
        fallBehind();

        rig.feed.stop();
        rig.log.segments.close(() -> {});
        rig.fake.holdNothing();

        assertThat(rig.damage).isEmpty();
        assertThat(rig.index.blocks()).isZero();
    }

    @Test
    void damageIsTold() {
        fallBehind();
        rig.fake.file(LogRig.segment(0)).flip(5 * BLOCK + 9);

        rig.fake.holdNothing();

        assertThat(rig.damage).hasSize(1).first().asString().contains("log at " + 5 * BLOCK);
        assertThat(rig.feed.position()).isEqualTo(5L * BLOCK);
    }

    @Test
    void whatCameMeanwhileIsFedToo() {
        fallBehind();
        rig.fake.hold(every(Kind.READ));
        receive(9, 9);

        rig.fake.holdNothing();

        assertThat(rig.feed.isCaughtUp()).isTrue();
        assertThat(rig.read(0, 10)).containsExactly(1, 2, 3, 4, 5, 0, 0, 0, 0, 9);
    }

    private static final int FEW = 64;

    private static VolumeRig backlog(int blocks) {
        VolumeRig small = new VolumeRig(FEW);
        small.feed.limit(0);
        for (int i = 0; i < blocks; i++) {
            small.log.frame(i * 2L, 1, i % 100 + 1);
        }
        return small;
    }

    private static void assertEntersInParts(VolumeRig small, int blocks) {
        small.fake.hold(every(Kind.WRITE));
        small.feed.limit(Long.MAX_VALUE);
        small.fake.run();
        assertThat(small.feed.isCaughtUp()).isFalse();
        assertThat(small.index.blocks()).isBetween(FEW / 2, FEW);

        small.fake.holdNothing();

        assertThat(small.feed.isCaughtUp()).isTrue();
        assertThat(small.mostEntries).isLessThanOrEqualTo(FEW);
        for (int i = 0; i < blocks; i++) {
            assertThat(small.image(i * 2L, 1)).containsExactly(i % 100 + 1);
        }
    }

    @Test
    void aBacklogInTheSegmentsEntersAsTheIndexHasRoom() {
        VolumeRig small = backlog(300);
        small.log.tail.releaseIdleMemory();

        assertEntersInParts(small, 300);
    }

    @Test
    void aBacklogInMemoryEntersAsTheIndexHasRoom() {
        VolumeRig small = backlog(300);

        assertEntersInParts(small, 300);

        assertThat(small.fake.done(Kind.READ)).isEmpty();
    }

    @Test
    void zeroRangesTakeRoomToo() {
        VolumeRig small = new VolumeRig(FEW);
        small.fake.hold(every(Kind.ZERO));

        for (int i = 0; i < 200; i++) {
            assertThat(small.log.range(RecordType.TRIM, i * 2L, 1)).isTrue();
            small.fake.run();
        }

        assertThat(small.index.zeroRanges()).isBetween(FEW / 2, FEW);
        small.fake.holdNothing();
        assertThat(small.feed.isCaughtUp()).isTrue();
        assertThat(small.mostEntries).isLessThanOrEqualTo(FEW);
    }

    @Test
    void whatWasAdmittedIsNotHeldBack() {
        VolumeRig small = new VolumeRig(FEW);
        small.fake.hold(every(Kind.WRITE));

        for (int i = 0; i < 2 * FEW; i++) {
            small.write(i * 2L, 1, 1);
            small.fake.run();
            assertThat(small.log.control(RecordType.MARK)).isTrue();
            small.fake.run();
        }

        assertThat(small.index.hasRoom(1)).isFalse();
        assertThat(small.feed.position()).isEqualTo(small.log.tail.durable());
    }
}
