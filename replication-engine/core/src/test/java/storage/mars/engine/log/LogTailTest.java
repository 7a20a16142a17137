// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import static org.assertj.core.api.Assertions.assertThat;
import static storage.mars.engine.fake.FakePorts.every;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import storage.mars.engine.fake.FakePorts;
import storage.mars.engine.fake.FakePorts.Kind;
import storage.mars.engine.fake.LogRig;
import storage.mars.engine.log.Chain.Link;

class LogTailTest {

    private static final int BLOCK = Blocks.SIZE;
    private static final int CHUNK = LogFormat.MAX_FRAME;

    private static LogRig small() {
        return new LogRig(new FakePorts(), 4 * CHUNK, Long.MAX_VALUE, 0, Link.START);
    }

    /** Borrows the payload of a durable frame. */
    private static LogLoan lendFrame(LogRig rig) {
        long position = LogLocation.position(rig.frame(0, 16, 7));
        LogLoan loan = rig.tail.newLoan();
        assertThat(loan.borrow(position, 16 * BLOCK)).isNotNull();
        return loan;
    }

    /** Writes until there is no memory. */
    private static void fillMemory(LogRig rig) {
        rig.fake.hold(every(Kind.LOG_WRITE));
        int written = 0;
        while (rig.write(0, 16, 1) >= 0) {
            rig.fake.run();
            written++;
        }
        assertThat(written).isPositive();
    }

    @Test
    void anIdleLogGivesItsMemoryBack() {
        LogRig rig = new LogRig();
        rig.frame(0, 1, 1);

        assertThat(rig.tail.releaseIdleMemory()).isTrue();

        assertThat(rig.memory.takenBytes()).isZero();
        assertThat(rig.tail.memoryStart()).isEqualTo(rig.tail.end());
        rig.frame(1, 1, 2);
        assertThat(rig.tail.durable()).isEqualTo(5L * BLOCK);
    }

    @Test
    void aFrameThatIsGatheredKeepsItsMemory() {
        LogRig rig = new LogRig();
        rig.frame(0, 1, 1);
        rig.write(1, 1, 2);

        assertThat(rig.tail.releaseIdleMemory()).isFalse();

        rig.fake.run();
        assertThat(rig.tail.durable()).isEqualTo(5L * BLOCK);
    }

    @Test
    void writersWaitForMemoryAndAreToldWhenItIsDurable() {
        LogRig rig = small();
        fillMemory(rig);
        assertThat(rig.rooms).isZero();

        rig.fake.holdNothing();

        assertThat(rig.rooms).isPositive();
        assertThat(rig.write(0, 16, 1)).isPositive();
    }

    @Test
    void controlRecordsHaveMemoryOfTheirOwn() {
        LogRig rig = small();
        fillMemory(rig);

        assertThat(rig.control(RecordType.MARK)).isTrue();
    }

    @Test
    void anIdleLogGivesItsLastChunkToOneThatNeedsIt() {
        LogMemory memory = new LogMemory(4 * CHUNK);
        LogRig[] idle = new LogRig[4];
        for (int i = 0; i < idle.length; i++) {
            idle[i] = new LogRig(new FakePorts(), memory, Long.MAX_VALUE, 0, Link.START);
            idle[i].frame(0, 1, 1);
        }
        assertThat(memory.takenBytes()).isEqualTo(memory.limitBytes());
        LogRig busy = new LogRig(new FakePorts(), memory, Long.MAX_VALUE, 0, Link.START);

        assertThat(busy.frame(0, 1, 1)).isPositive();

        assertThat(idle[0].tail.memoryStart()).isEqualTo(idle[0].tail.end());
        assertThat(idle[0].frame(1, 1, 1)).isPositive();
    }

    @Test
    void aFrameThatIsGatheredIsNotTakenByOthers() {
        LogMemory memory = new LogMemory(4 * CHUNK);
        LogRig[] rigs = new LogRig[4];
        for (int i = 0; i < rigs.length; i++) {
            rigs[i] = new LogRig(new FakePorts(), memory, Long.MAX_VALUE, 0, Link.START);
            rigs[i].frame(0, 1, 1);
            rigs[i].write(1, 1, 1);
        }
        LogRig other = new LogRig(new FakePorts(), memory, Long.MAX_VALUE, 0, Link.START);

        assertThat(other.write(0, 1, 1)).isEqualTo(-1);

        rigs[2].fake.run();
        assertThat(other.rooms).isEqualTo(1);
        assertThat(other.write(0, 1, 1)).isPositive();
    }

    @Test
    void allWhoWaitForMemoryAreTold() {
        LogMemory memory = new LogMemory(4 * CHUNK);
        LogRig first = new LogRig(new FakePorts(), memory, Long.MAX_VALUE, 0, Link.START);
        LogRig second = new LogRig(new FakePorts(), memory, Long.MAX_VALUE, 0, Link.START);
        fillMemory(first);
        fillMemory(second);
        LogRig gone = new LogRig(new FakePorts(), memory, Long.MAX_VALUE, 0, Link.START);
        LogRig waits = new LogRig(new FakePorts(), memory, Long.MAX_VALUE, 0, Link.START);
        gone.write(0, 1, 1);
        waits.write(0, 1, 1);

        first.fake.holdNothing();

        assertThat(waits.rooms).isPositive();
        assertThat(waits.write(0, 1, 1)).isPositive();
    }

    @Test
    void framesAreCopiedWholeUpToTheLimitAndTheRoom() {
        LogRig rig = new LogRig();
        rig.frame(0, 1, 1);
        rig.frame(1, 3, 2);
        ByteBuffer out = ByteBuffer.allocate(6 * BLOCK).order(ByteOrder.LITTLE_ENDIAN);

        long until = rig.tail.copyFrames(0, rig.tail.durable(), out);

        assertThat(until).isEqualTo(3L * BLOCK);
        assertThat(out.position()).isEqualTo(3 * BLOCK);
        assertThat(rig.tail.copyFrames(until, rig.tail.durable(), out.clear()))
                .isEqualTo(7L * BLOCK);
        assertThat(rig.tail.copyFrames(until, until, out.clear())).isEqualTo(until);
    }

    @Test
    void whatHasBeenGivenUpIsNotInMemory() {
        LogRig rig = new LogRig();
        rig.frame(0, 1, 1);
        rig.tail.releaseIdleMemory();
        ByteBuffer out = ByteBuffer.allocate(BLOCK);

        assertThat(rig.tail.copy(2 * BLOCK, BLOCK, out, 0)).isFalse();
        assertThat(rig.tail.copyFrames(0, rig.tail.durable(), out)).isZero();
    }

    @Test
    void aPositionInsideOfAFrameYieldsNoFrames() {
        LogRig rig = new LogRig();
        rig.frame(0, 2, 0);
        ByteBuffer into = ByteBuffer.allocate(CHUNK);

        for (long from = 2L * BLOCK; from < rig.tail.durable(); from += BLOCK / 2) {
            assertThat(rig.tail.copyFrames(from, rig.tail.durable(), into)).isEqualTo(from);
        }

        assertThat(into.position()).isZero();
        assertThat(rig.tail.copyFrames(BLOCK, rig.tail.durable(), into)).isEqualTo(4L * BLOCK);
        assertThat(rig.tail.copyFrames(0, rig.tail.durable(), into)).isEqualTo(4L * BLOCK);
    }

    @Test
    void lentMemoryKeepsItsContentAndIsFreeWhenGivenBack() {
        LogRig rig = small();
        long position = LogLocation.position(rig.frame(0, 16, 7));
        LogLoan loan = rig.tail.newLoan();
        ByteBuffer lent = Objects.requireNonNull(loan.borrow(position, 16 * BLOCK));

        for (int i = 0; i < 100; i++) {
            rig.frame(0, 16, 9);
        }

        assertThat(rig.tail.memoryStart()).isGreaterThan(position);
        assertThat(lent.get(0)).isEqualTo((byte) 7);
        assertThat(lent.get(16 * BLOCK - 1)).isEqualTo((byte) 7);
        assertThat(rig.memory.takenBytes()).isEqualTo(4 * CHUNK);
        loan.giveBack();
        assertThat(rig.memory.takenBytes()).isEqualTo(3 * CHUNK);
    }

    /** A device's thread looks at it while the shard goes on with the chunk that it lies in. */
    @Test
    void lentMemoryIsNoBufferThatTheShardMoves() {
        LogRig rig = new LogRig();
        long position = LogLocation.position(rig.frame(0, 16, 7));
        ByteBuffer chunk = Objects.requireNonNull(rig.tail.window.holding(position)).bytes();

        ByteBuffer lent = Objects.requireNonNull(rig.tail.newLoan().borrow(position, 16 * BLOCK));
        chunk.limit(3 * BLOCK).position(BLOCK);

        assertThat(lent).isNotSameAs(chunk);
        assertThat(lent.position()).isZero();
        assertThat(lent.limit()).isEqualTo(16 * BLOCK);
    }

    @Test
    void aClosedLogTakesItsLentMemoryBack() {
        LogRig rig = small();
        LogLoan loan = lendFrame(rig);

        rig.tail.close();

        assertThat(rig.memory.takenBytes()).isEqualTo(CHUNK);
        loan.giveBack();
        assertThat(rig.memory.takenBytes()).isZero();
    }

    @Test
    void onlyAQuarterOfTheMemoryIsLent() {
        LogRig rig = new LogRig(new FakePorts(), 16 * CHUNK, Long.MAX_VALUE, 0, Link.START);
        LogLoan[] loans = {rig.tail.newLoan(), rig.tail.newLoan(), rig.tail.newLoan()};
        long[] positions = new long[7];
        for (int i = 0; i < positions.length; i++) {
            for (int part = 0; part < 16; part++) {
                positions[i] = LogLocation.position(rig.frame(0, 16, 1));
            }
        }

        int lent = 0;
        for (int i = 0; i < 6; i++) {
            lent += loans[i / 2].borrow(positions[i], 16 * BLOCK) == null ? 0 : 1;
        }
        assertThat(loans[0].borrow(positions[6], 16 * BLOCK)).isNull();
        assertThat(lent).isEqualTo(4);

        loans[0].giveBack();
        assertThat(loans[2].borrow(positions[6], 16 * BLOCK)).isNotNull();
    }

    @Test
    void writersWaitWhileAllMemoryIsLentOrNeededAndAreTold() {
        LogRig rig = small();
        LogLoan loan = lendFrame(rig);
        fillMemory(rig);
        int rooms = rig.rooms;

        loan.giveBack();

        assertThat(rig.rooms).isGreaterThan(rooms);
        rig.fake.holdNothing();
        assertThat(rig.write(0, 16, 1)).isPositive();
    }

    @Test
    void whoWaitsForMemoryIsToldThatLentMemoryIsOnlyCachedNow() {
        LogMemory memory = new LogMemory(4 * CHUNK);
        LogRig[] rigs = new LogRig[4];
        for (int i = 0; i < rigs.length; i++) {
            rigs[i] = new LogRig(new FakePorts(), memory, Long.MAX_VALUE, 0, Link.START);
        }
        LogLoan loan = lendFrame(rigs[0]);
        for (int i = 1; i < rigs.length; i++) {
            rigs[i].frame(0, 1, 1);
            rigs[i].write(1, 1, 1);
        }
        LogRig other = new LogRig(new FakePorts(), memory, Long.MAX_VALUE, 0, Link.START);
        assertThat(other.write(0, 1, 1)).isEqualTo(-1);

        loan.giveBack();

        assertThat(other.rooms).isEqualTo(1);
        assertThat(other.write(0, 1, 1)).isPositive();
    }
}
