// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import static org.assertj.core.api.Assertions.assertThat;
import static storage.mars.engine.fake.FakePorts.every;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import storage.mars.engine.fake.FakeFile;
import storage.mars.engine.fake.FakePorts;
import storage.mars.engine.fake.FakePorts.Kind;
import storage.mars.engine.fake.LogRig;
import storage.mars.engine.log.Chain.Link;
import storage.mars.engine.port.IoFailure;

class SegmentStoreTest {

    private static final int SEGMENT = LogRig.SEGMENT;
    private static final long HALF_A_SECOND = TimeUnit.MILLISECONDS.toNanos(500);
    private final FakePorts fake = new FakePorts();

    private LogRig rig(long budget) {
        return new LogRig(fake, 64 << 20, budget, 0, Link.START);
    }

    /** Data until there is no room; the position where it stopped. */
    private static long writeAll(LogRig rig) {
        while (rig.frame(0, 15, 1) >= 0) {
            assertThat(rig.tail.end()).isLessThan(100L * SEGMENT);
        }
        return rig.tail.end();
    }

    @Test
    void oneSegmentIsPreparedAhead() {
        LogRig rig = rig(Long.MAX_VALUE);

        assertThat(fake.names()).containsExactly(LogRig.segment(0), LogRig.segment(SEGMENT));
        assertThat(rig.segments.readyEnd()).isEqualTo(2L * SEGMENT);
    }

    @Test
    void aFullDiskStallsDataButNotControlRecordsAndDataGoOnWhenSpaceReturns() {
        LogRig rig = rig(Long.MAX_VALUE);
        for (int i = 0; i < 3; i++) {
            fake.failNext(every(Kind.CREATE), IoFailure.Kind.NO_SPACE);
        }

        long stalledAt = writeAll(rig);

        assertThat(stalledAt)
                .isBetween(2L * SEGMENT - (1 << 20) - 18 * Blocks.SIZE, 2L * SEGMENT - (1 << 20));
        assertThat(rig.segments.stall()).contains("NO_SPACE");
        assertThat(rig.control(RecordType.MARK)).isTrue();
        fake.run();
        assertThat(rig.tail.durable()).isEqualTo(rig.tail.end()).isGreaterThan(stalledAt);
        fake.advance(HALF_A_SECOND);
        fake.advance(HALF_A_SECOND);
        assertThat(rig.rooms).isZero();
        fake.advance(HALF_A_SECOND);
        assertThat(rig.rooms).isEqualTo(1);
        assertThat(rig.segments.stall()).isNull();
        assertThat(rig.frame(0, 15, 1)).isPositive();
    }

    @Test
    void aFullDiskIsTriedAgainByTheTimerOnly() {
        LogRig rig = rig(Long.MAX_VALUE);
        int before = fake.done(Kind.CREATE).size();
        for (int i = 0; i < 50; i++) {
            fake.failNext(every(Kind.CREATE), IoFailure.Kind.NO_SPACE);
        }

        writeAll(rig);
        for (int i = 0; i < 10; i++) {
            rig.write(0, 15, 1);
            fake.run();
        }

        assertThat(fake.done(Kind.CREATE)).hasSize(before + 1);
    }

    @Test
    void theBudgetStallsAndReleaseGoesOn() {
        LogRig rig = rig(3L * SEGMENT);

        long stalledAt = writeAll(rig);

        assertThat(stalledAt)
                .isBetween(3L * SEGMENT - (1 << 20) - 18 * Blocks.SIZE, 3L * SEGMENT - (1 << 20));
        assertThat(rig.segments.stall()).contains("budget");
        assertThat(rig.segments.usedBytes()).isEqualTo(3L * SEGMENT);
        rig.segments.release(SEGMENT);
        fake.run();
        assertThat(rig.rooms).isEqualTo(1);
        assertThat(rig.segments.stall()).isNull();
        assertThat(rig.segments.start()).isEqualTo(SEGMENT);
        assertThat(writeAll(rig)).isGreaterThan(3L * SEGMENT);
        assertThat(fake.names()).hasSize(3);
    }

    @Test
    void aRaisedBudgetIsUsedAtOnce() {
        LogRig rig = rig(3L * SEGMENT);
        writeAll(rig);

        rig.segments.budgetBytes(4L * SEGMENT);
        fake.run();

        assertThat(rig.rooms).isEqualTo(1);
    }

    @Test
    void aBudgetBelowTwoSegmentsIsTwo() {
        LogRig rig = rig(1);
        long stalledAt = writeAll(rig);
        assertThat(stalledAt).isGreaterThan(SEGMENT);

        rig.segments.release(SEGMENT);
        fake.run();

        assertThat(writeAll(rig)).isGreaterThan(2L * SEGMENT);
    }

    @Test
    void aReadSegmentIsRecycledAfterItsLastPin() {
        LogRig rig = rig(Long.MAX_VALUE);
        rig.fillTo(SEGMENT);
        rig.frame(0, 1, 1);
        Segment segment = Objects.requireNonNull(rig.segments.holding(0));
        segment.pin();
        segment.pin();
        int before = fake.done(Kind.RENAME).size();

        rig.segments.release(SEGMENT);
        rig.segments.unpin(segment);
        fake.run();

        assertThat(rig.segments.holding(0)).isNull();
        assertThat(fake.done(Kind.RENAME)).hasSize(before);
        rig.segments.unpin(segment);
        fake.run();
        assertThat(fake.done(Kind.RENAME)).hasSize(before + 1);
        assertThat(fake.names()).doesNotContain(LogRig.segment(0));
    }

    @Test
    void aSegmentThatIsReadOutlivesTheStore() {
        LogRig rig = rig(Long.MAX_VALUE);
        rig.frame(0, 1, 1);
        Segment segment = Objects.requireNonNull(rig.segments.holding(0));
        segment.pin();

        rig.segments.close(() -> {});

        assertThat(fake.file(LogRig.segment(0)).isClosed()).isFalse();
        assertThat(fake.file(LogRig.segment(SEGMENT)).isClosed()).isTrue();
        rig.segments.unpin(segment);
        assertThat(fake.file(LogRig.segment(0)).isClosed()).isTrue();
    }

    /** What is told of the end of the close that begins. */
    private List<String> close(LogRig rig) {
        List<String> told = new ArrayList<>();
        rig.segments.close(() -> told.add("closed"));
        fake.run();
        return told;
    }

    @Test
    void closingWaitsForTheFileThatIsBeingMadeWhichIsASpareThen() {
        LogRig rig = rig(Long.MAX_VALUE);
        fake.hold(every(Kind.CREATE));
        rig.segments.prepareBehind(SEGMENT);

        List<String> told = close(rig);

        assertThat(fake.pending(Kind.CREATE)).hasSize(1);
        assertThat(told).isEmpty();
        fake.holdNothing();
        assertThat(told).containsExactly("closed");
        String spare = fake.done(Kind.CREATE).getLast().file();
        assertThat(fake.file(spare).isClosed()).isTrue();
        assertThat(rig(Long.MAX_VALUE).segments.usedBytes()).isEqualTo(3L * SEGMENT);
        assertThat(fake.file(spare).isClosed()).isFalse();
    }

    @Test
    void closingWaitsForTheFileThatIsBeingPlaced() {
        LogRig rig = rig(Long.MAX_VALUE);
        fake.hold(every(Kind.RENAME));
        rig.segments.prepareBehind(SEGMENT);
        fake.run();

        List<String> told = close(rig);

        assertThat(fake.pending(Kind.RENAME)).hasSize(1);
        assertThat(told).isEmpty();
        fake.holdNothing();
        assertThat(told).containsExactly("closed");
        assertThat(fake.file(LogRig.segment(2L * SEGMENT)).isClosed()).isTrue();
    }

    @Test
    void closingWaitsForSegmentsThatBecomeSparesOrGo() {
        LogRig rig = rig(Long.MAX_VALUE);
        rig.fillTo(SEGMENT);
        rig.frame(0, 1, 1);
        fake.hold(op -> op.kind() == Kind.RENAME || op.kind() == Kind.DELETE);
        rig.segments.release(SEGMENT);
        List<String> told = close(rig);
        assertThat(fake.pending(Kind.RENAME)).hasSize(1);
        assertThat(told).isEmpty();

        fake.failNext(every(Kind.RENAME), IoFailure.Kind.IO_ERROR);
        fake.hold(every(Kind.DELETE));
        fake.run();

        assertThat(fake.pending(Kind.DELETE)).hasSize(2);
        assertThat(told).isEmpty();
        fake.hold(every(Kind.DELETE, ".log"));
        fake.run();
        assertThat(told).isEmpty();
        fake.holdNothing();
        assertThat(told).containsExactly("closed");
    }

    @Test
    void closingWaitsForNothingWhenNothingIsUnderWay() {
        LogRig rig = rig(Long.MAX_VALUE);
        List<String> told = new ArrayList<>();

        rig.segments.close(() -> told.add("closed"));

        assertThat(told).containsExactly("closed");
    }

    @Test
    void aNewSegmentNeverTakesTheNameOfOneThatIsStillRead() {
        LogRig rig = rig(Long.MAX_VALUE);
        rig.fillTo(SEGMENT);
        rig.frame(0, 1, 1);
        Segment old = Objects.requireNonNull(rig.segments.holding(0));
        old.pin();
        rig.segments.release(SEGMENT);

        LogTail again = new LogTail(LogRig.RESOURCE, rig.segments, rig.memory, 0, Link.START);
        fake.run();

        assertThat(rig.segments.readyEnd()).isZero();
        rig.segments.unpin(old);
        fake.advance(HALF_A_SECOND);
        assertThat(rig.segments.readyEnd()).isEqualTo(3L * SEGMENT);
        assertThat(rig.segments.holding(0)).isNotNull().isNotSameAs(old);
        again.close();
    }

    @Test
    void sparesAndSegmentsAreFoundAgainAndNothingElse() {
        fake.put(LogRig.segment(0), SEGMENT);
        fake.put(LogRig.segment(3L * SEGMENT), SEGMENT);
        fake.put(LogRig.segment(4L * SEGMENT), SEGMENT);
        fake.put(LogRig.segment(5L * SEGMENT), SEGMENT / 2);
        fake.put("log/99999999999999999999.log", SEGMENT);
        fake.put("log/00000000000000000001.log", SEGMENT);
        fake.put("log/spare-99999999999999999999", SEGMENT);
        fake.put("log/spare-7", SEGMENT);
        fake.put("log/note", 3);

        LogRig rig = new LogRig(fake, 64 << 20, Long.MAX_VALUE, 3L * SEGMENT + 4096, Link.START);

        assertThat(rig.segments.starts()).containsExactly(0L, 3L * SEGMENT, 4L * SEGMENT);
        assertThat(rig.segments.start()).isEqualTo(3L * SEGMENT);
        assertThat(rig.segments.readyEnd()).isEqualTo(5L * SEGMENT);
        assertThat(rig.segments.usedBytes()).isEqualTo(4L * SEGMENT);
        rig.segments.prepareBehind(4L * SEGMENT);
        fake.run();
        assertThat(fake.names()).doesNotContain("log/spare-7").contains("log/note");
    }

    @Test
    void aSpareThatCannotBePlacedIsGivenUp() {
        FakeFile bad = fake.put("log/spare-5", SEGMENT);
        for (int i = 0; i < 10; i++) {
            fake.failNext(every(Kind.RENAME, "spare-5"), IoFailure.Kind.IO_ERROR);
        }

        LogRig rig = rig(Long.MAX_VALUE);
        assertThat(rig.segments.stall()).contains("can be placed");
        fake.advance(HALF_A_SECOND);

        assertThat(rig.segments.stall()).isNull();
        assertThat(rig.segments.readyEnd()).isEqualTo(2L * SEGMENT);
        assertThat(bad.isClosed()).isTrue();
        assertThat(fake.names()).doesNotContain("log/spare-5");
    }

    @Test
    void aReleasedSegmentThatCannotBecomeASpareIsDeleted() {
        LogRig rig = rig(Long.MAX_VALUE);
        rig.fillTo(SEGMENT);
        rig.frame(0, 1, 1);
        FakeFile file = fake.file(LogRig.segment(0));
        fake.failNext(every(Kind.RENAME), IoFailure.Kind.IO_ERROR);

        rig.segments.release(SEGMENT);
        fake.run();

        assertThat(file.isClosed()).isTrue();
        assertThat(fake.names()).doesNotContain(LogRig.segment(0));
        assertThat(rig.segments.usedBytes()).isEqualTo(2L * SEGMENT);
    }
}
