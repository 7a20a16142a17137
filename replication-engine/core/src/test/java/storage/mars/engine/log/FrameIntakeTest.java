// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import static org.assertj.core.api.Assertions.assertThat;
import static storage.mars.engine.fake.FakePorts.every;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import storage.mars.engine.fake.FakePorts;
import storage.mars.engine.fake.FakePorts.Kind;
import storage.mars.engine.fake.LogRig;
import storage.mars.engine.log.Chain.Link;
import storage.mars.engine.log.FrameIntake.Taken;
import storage.mars.engine.port.IoFailure;

class FrameIntakeTest {

    private static final int BLOCK = Blocks.SIZE;
    private static final int SEGMENT = LogRig.SEGMENT;
    private final LogRig primary = new LogRig();
    private final LogRig secondary = new LogRig();

    private void receive(LogRig rig, ByteBuffer log) {
        int at = 0;
        while (at < log.limit()) {
            Taken taken = rig.intake.take(log, at, rig.history);
            rig.writer.wake();
            rig.fake.run();
            assertThat(taken).isNotInstanceOf(Taken.Wrong.class);
            at = taken instanceof Taken.Waits waits ? at + waits.bytes() : log.limit();
        }
    }

    @Test
    void theLogOfASecondaryIsThatOfThePrimaryByteForByte() {
        primary.frame(0, 1, 1);
        primary.range(RecordType.TRIM, 4, 4);
        primary.fillTo(SEGMENT - 3 * BLOCK);
        primary.frame(0, 4, 2);
        primary.fillTo(2L * SEGMENT);
        primary.frame(0, 2, 3);

        receive(secondary, primary.shipped(0, primary.tail.durable()));

        assertThat(secondary.tail.durable()).isEqualTo(primary.tail.durable());
        assertThat(secondary.tail.link()).isEqualTo(primary.tail.link());
        for (long at = 0; at < 3L * SEGMENT; at += SEGMENT) {
            String name = LogRig.segment(at);
            assertThat(
                            Arrays.mismatch(
                                    secondary.fake.file(name).synced,
                                    primary.fake.file(name).synced))
                    .as(name)
                    .isEqualTo(-1);
        }
    }

    @Test
    void theTailInMemoryIsShippedAsTheSegmentsAre() {
        primary.fillTo(SEGMENT - 3 * BLOCK);
        primary.frame(0, 4, 2);
        ByteBuffer fromMemory = ByteBuffer.allocate(2 * SEGMENT).order(ByteOrder.LITTLE_ENDIAN);

        long at = primary.tail.memoryStart();
        while (at < primary.tail.durable()) {
            at = primary.tail.copyFrames(at, primary.tail.durable(), fromMemory);
        }

        assertThat(fromMemory.flip()).isEqualTo(primary.shipped(0, primary.tail.durable()));
    }

    @Test
    void anIntakeWithoutMemoryWaitsAndGoesOn() {
        for (int i = 0; i < 80; i++) {
            primary.frame(0, 15, i);
        }
        ByteBuffer log = primary.shipped(0, primary.tail.durable());
        LogRig small = new LogRig(new FakePorts(), 4 << 20, Long.MAX_VALUE, 0, Link.START);
        small.fake.hold(every(Kind.LOG_WRITE));

        Taken taken = small.intake.take(log, 0, small.history);

        assertThat(taken).isInstanceOf(Taken.Waits.class);
        int bytes = ((Taken.Waits) taken).bytes();
        assertThat(bytes).isPositive().isLessThan(log.limit());
        small.writer.wake();
        small.fake.run();
        assertThat(small.rooms).isZero();
        small.fake.holdNothing();
        assertThat(small.rooms).isPositive();
        receive(small, log.slice(bytes, log.limit() - bytes).order(ByteOrder.LITTLE_ENDIAN));
        assertThat(small.tail.link()).isEqualTo(primary.tail.link());
    }

    @Test
    void anIntakeWithoutLogSpaceWaitsAndGoesOn() {
        primary.fillTo(2L * SEGMENT);
        ByteBuffer log = primary.shipped(0, primary.tail.durable());
        LogRig full = new LogRig(new FakePorts(), 64 << 20, 2L * SEGMENT, 0, Link.START);

        Taken taken = full.intake.take(log, 0, full.history);
        full.writer.wake();
        full.fake.run();

        assertThat(taken).isInstanceOf(Taken.Waits.class);
        assertThat(full.tail.end())
                .isBetween(2L * SEGMENT - (1 << 20) - 17 * BLOCK, 2L * SEGMENT - (1 << 20));
        full.segments.release(SEGMENT);
        full.fake.run();
        assertThat(full.rooms).isEqualTo(1);
        int bytes = ((Taken.Waits) taken).bytes();
        receive(full, log.slice(bytes, log.limit() - bytes).order(ByteOrder.LITTLE_ENDIAN));
        assertThat(full.tail.durable()).isEqualTo(2L * SEGMENT);
    }

    @Test
    void aPadLeavesTheControlReserveAlone() {
        primary.fillTo(SEGMENT - 3 * BLOCK);
        primary.frame(0, 4, 2);
        ByteBuffer log = primary.shipped(SEGMENT - 3L * BLOCK, SEGMENT);
        FakePorts fake = new FakePorts();
        LogRig atEnd = new LogRig(new FakePorts(), 64 << 20, Long.MAX_VALUE, 0, Link.START);
        receive(atEnd, primary.shipped(0, SEGMENT - 3L * BLOCK));
        Link link = atEnd.tail.link();
        fake.hold(op -> op.kind() == Kind.CREATE && !fake.names().isEmpty());
        LogRig oneSegment = new LogRig(fake, 64 << 20, Long.MAX_VALUE, SEGMENT - 3L * BLOCK, link);

        assertThat(oneSegment.intake.take(log, 0, oneSegment.history))
                .isEqualTo(new Taken.Waits(0));

        fake.holdNothing();
        assertThat(oneSegment.intake.take(log, 0, oneSegment.history))
                .isInstanceOf(Taken.All.class);
    }

    private void assertRefused(ByteBuffer log, String why) {
        long end = secondary.tail.end();
        Link link = secondary.tail.link();

        Taken taken = secondary.intake.take(log, 0, secondary.history);

        assertThat(taken)
                .isInstanceOfSatisfying(
                        Taken.Wrong.class,
                        wrong -> {
                            assertThat(wrong.position()).isEqualTo(end);
                            assertThat(wrong.reason()).contains(why);
                        });
        assertThat(secondary.tail.end()).isEqualTo(end);
        assertThat(secondary.tail.link()).isEqualTo(link);
    }

    private ByteBuffer patched(ByteBuffer log, int offset, long value) {
        log.putLong(offset, value);
        new Checksum().sealBlock(log, offset / BLOCK * BLOCK);
        return log;
    }

    @Test
    void logOfAnotherPlaceEpochOrHistoryIsRefused() {
        primary.frame(0, 1, 1);
        primary.frame(1, 1, 2);
        primary.frame(2, 1, 3);
        receive(secondary, primary.shipped(0, 3L * BLOCK));

        assertRefused(primary.shipped(5L * BLOCK, 7L * BLOCK), "another place");
        assertRefused(primary.shipped(0, 3L * BLOCK), "no frame descriptor");
        ByteBuffer next = primary.shipped(3L * BLOCK, 5L * BLOCK);
        long chain = next.getLong(72);
        assertRefused(patched(next, 72, chain + 1), "does not follow");
        patched(next, 72, chain);
        assertRefused(patched(next, 48, 99), "epoch");
        patched(next, 48, LogRig.EPOCH.id());
        assertRefused(patched(next, 8, 99), "another place or resource");
        patched(next, 8, LogRig.RESOURCE);
        next.put(BLOCK + 5, (byte) 9);
        assertRefused(next, "payload checksum");
        next.put(BLOCK + 5, (byte) 2);
        receive(secondary, next);
        assertThat(secondary.tail.durable()).isEqualTo(5L * BLOCK);
    }

    @Test
    void anImpossibleRecordIsRefused() {
        primary.frame(0, 1, 1);
        receive(secondary, primary.shipped(0, BLOCK));
        ByteBuffer log = primary.shipped(BLOCK, 3L * BLOCK);

        log.putShort(128 + 2, (short) 16);
        assertRefused(patched(log, 8, LogRig.RESOURCE), "volume or range");
        log.putShort(128 + 2, (short) 0);
        assertRefused(patched(log, 128 + 8, Long.MAX_VALUE - 100), "volume or range");
        assertRefused(patched(log, 128 + 8, -BLOCK), "volume or range");
        patched(log, 128 + 8, 0);
        assertRefused(patched(log, 128 + 16, 2 * BLOCK), "volume or range");
        patched(log, 128 + 16, BLOCK);
        log.putInt(128 + 28, 1 << 30);
        assertRefused(patched(log, 8, LogRig.RESOURCE), "outside of its frame");
    }

    @Test
    void aRecordBeyondItsVolumeIsRefused() {
        primary.frame(0, 1, 1);
        receive(secondary, primary.shipped(0, BLOCK));
        ByteBuffer log = primary.shipped(BLOCK, 3L * BLOCK);

        assertRefused(patched(log, 128 + 8, 1L << 40), "beyond volume 0");
    }

    @Test
    void aSegmentHeaderOfAnotherEpochOrChainIsRefused() {
        primary.fillTo(SEGMENT);
        primary.frame(0, 1, 1);
        receive(secondary, primary.shipped(0, SEGMENT));
        ByteBuffer log = primary.shipped(SEGMENT, SEGMENT + 3L * BLOCK);

        assertRefused(patched(log, 48, 99), "epoch");
        patched(log, 48, LogRig.EPOCH.id());
        assertRefused(patched(log, 56, 1), "does not follow");
    }

    @Test
    void anEpochThatIsNotInTheHistoryIsRefused() {
        primary.frame(0, 1, 1);
        secondary.history =
                new EpochHistory(List.of(new Epoch(new EpochId(9, 0, 9), 9, 0, Epoch.OPEN)));

        assertRefused(primary.shipped(0, 3L * BLOCK), "epoch");
    }

    @Test
    void aFullDiskIsTriedAgain() {
        FakePorts fake = new FakePorts();
        fake.failNext(every(Kind.CREATE), IoFailure.Kind.NO_SPACE);
        LogRig late = new LogRig(fake, 64 << 20, Long.MAX_VALUE, 0, Link.START);
        primary.frame(0, 1, 1);
        ByteBuffer log = primary.shipped(0, 3L * BLOCK);

        assertThat(late.intake.take(log, 0, late.history)).isEqualTo(new Taken.Waits(0));

        fake.advance(TimeUnit.SECONDS.toNanos(1));
        assertThat(late.rooms).isEqualTo(1);
        assertThat(late.intake.take(log, 0, late.history)).isInstanceOf(Taken.All.class);
    }
}
