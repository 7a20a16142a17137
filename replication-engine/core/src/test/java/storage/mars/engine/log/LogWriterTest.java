// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import static org.assertj.core.api.Assertions.assertThat;
import static storage.mars.engine.fake.FakePorts.every;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import storage.mars.engine.fake.FakePorts.Kind;
import storage.mars.engine.fake.LogRig;
import storage.mars.engine.port.IoFailure;

class LogWriterTest {

    private final LogRig rig = new LogRig();

    @Test
    void whatArrivesDuringAWriteIsInTheNextOneWrite() {
        rig.fake.hold(every(Kind.LOG_WRITE));
        rig.write(0, 1, 1);
        rig.fake.run();

        rig.write(1, 1, 2);
        rig.write(2, 1, 3);
        rig.write(3, 1, 4);
        rig.fake.run();

        assertThat(rig.fake.pending(Kind.LOG_WRITE)).hasSize(1);
        rig.fake.holdNothing();
        assertThat(rig.fake.done(Kind.LOG_WRITE)).hasSize(2);
        assertThat(rig.fake.done(Kind.LOG_WRITE).get(1).length()).isEqualTo(4L * Blocks.SIZE);
        assertThat(rig.durable).containsExactly(3L * Blocks.SIZE, 7L * Blocks.SIZE);
    }

    @Test
    void durableIsPublishedOnlyAfterTheSync() {
        rig.fake.hold(every(Kind.LOG_WRITE));
        rig.write(0, 1, 1);

        rig.fake.run();

        assertThat(rig.tail.end()).isEqualTo(3L * Blocks.SIZE);
        assertThat(rig.tail.durable()).isZero();
        assertThat(rig.durable).isEmpty();
        rig.fake.holdNothing();
        assertThat(rig.tail.durable()).isEqualTo(3L * Blocks.SIZE);
    }

    @Test
    void aFailedSyncIsFinal() {
        rig.fake.failNext(every(Kind.LOG_WRITE), IoFailure.Kind.IO_ERROR);
        rig.frame(0, 1, 1);

        rig.frame(1, 1, 2);

        assertThat(rig.failure).isNotNull();
        assertThat(rig.writer.hasFailed()).isTrue();
        assertThat(rig.fake.done(Kind.LOG_WRITE)).hasSize(1);
        assertThat(rig.durable).isEmpty();
    }

    @Test
    void aWriteNeverCrossesASegment() {
        rig.fillTo(LogRig.SEGMENT - 8 * Blocks.SIZE);
        rig.fake.hold(every(Kind.LOG_WRITE));
        rig.write(0, 7, 1);
        rig.builder.seal();
        rig.write(7, 2, 2);

        rig.fake.holdNothing();

        int writes = rig.fake.done(Kind.LOG_WRITE).size();
        var last = rig.fake.done(Kind.LOG_WRITE).get(writes - 1);
        var before = rig.fake.done(Kind.LOG_WRITE).get(writes - 2);
        assertThat(before.position() + before.length()).isEqualTo(LogRig.SEGMENT);
        assertThat(last.file()).isEqualTo(LogRig.segment(LogRig.SEGMENT));
        assertThat(last.position()).isZero();
        assertThat(rig.tail.durable()).isEqualTo(rig.tail.end());
    }

    @Test
    void completionsInsideOfCallsAreFine() {
        rig.fake.completeInsideOfCalls();

        for (int i = 0; i < 100; i++) {
            rig.write(i, 1, i);
        }
        rig.fake.run();

        assertThat(rig.tail.durable()).isEqualTo(rig.tail.end());
    }

    @Test
    void aLogWithAnOpenFrameIsNotIdle() {
        List<Long> told = new ArrayList<>();
        rig.frame(0, 1, 1);
        rig.write(1, 1, 2);

        rig.writer.whenIdle(() -> told.add(rig.tail.durable()));
        rig.fake.run();

        assertThat(told).containsExactly(5L * Blocks.SIZE);
    }

    @Test
    void stopWaitsForTheWriteUnderWay() {
        List<Long> told = new ArrayList<>();
        rig.fake.hold(every(Kind.LOG_WRITE));
        rig.write(0, 1, 1);
        rig.fake.run();
        rig.write(1, 1, 2);

        rig.writer.stop(() -> told.add(rig.tail.durable()));

        assertThat(told).isEmpty();
        rig.fake.holdNothing();
        assertThat(told).containsExactly(3L * Blocks.SIZE);
        assertThat(rig.fake.done(Kind.LOG_WRITE)).hasSize(1);
    }

    @Test
    void eachWriteIsTimedFromItsBeginToItsSync() {
        rig.fake.hold(every(Kind.LOG_WRITE));
        rig.write(0, 1, 1);
        rig.fake.run();
        assertThat(rig.writer.latency().count()).isZero();

        rig.fake.advance(3_000_000);
        rig.fake.holdNothing();

        assertThat(rig.writer.latency().count()).isEqualTo(1);
        assertThat(rig.writer.latency().sumNanos()).isEqualTo(3_000_000);
    }
}
