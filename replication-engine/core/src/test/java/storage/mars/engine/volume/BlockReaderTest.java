// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static storage.mars.engine.fake.FakePorts.every;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import storage.mars.engine.fake.FakePorts.Kind;
import storage.mars.engine.fake.LogRig;
import storage.mars.engine.log.Blocks;
import storage.mars.engine.log.RecordType;
import storage.mars.engine.port.IoFailure;

class BlockReaderTest {

    private static final int BLOCK = Blocks.SIZE;
    private final VolumeRig rig = new VolumeRig();
    private final List<@Nullable IoFailure> told = new ArrayList<>();

    private ByteBuffer read(long offset, int length, boolean durableOnly) {
        ByteBuffer into = ByteBuffer.allocate(length);
        rig.reader.read(0, offset, into, durableOnly, told::add);
        return into;
    }

    @Test
    void eachBlockComesFromWhereItsNewestVersionIs() {
        rig.writeOneBackAndOneNot();
        rig.write(2, 1, 3);
        rig.fake.run();
        rig.zero(RecordType.ZERO, 3, 1);
        rig.fake.hold(every(Kind.LOG_WRITE));
        rig.write(4, 1, 5);

        assertThat(rig.read(0, 6)).containsExactly(1, 2, 3, 0, 5, 0);
    }

    @Test
    void durableOnlyDoesNotSeeWhatIsNot() {
        rig.write(0, 1, 1);
        rig.fake.run();
        rig.fake.hold(every(Kind.LOG_WRITE));
        rig.write(0, 1, 2);
        rig.fake.run();

        ByteBuffer durable = read(0, BLOCK, true);
        ByteBuffer newest = read(0, BLOCK, false);
        rig.fake.run();

        assertThat(durable.get(0)).isEqualTo((byte) 1);
        assertThat(newest.get(0)).isEqualTo((byte) 2);
        assertThat(told).hasSize(2).containsOnlyNulls();
    }

    @Test
    void anyRangeOfBytesIsRead() {
        rig.writesBack = false;
        rig.write(0, 2, 1);
        rig.write(2, 1, 2);
        rig.fake.run();
        rig.log.tail.releaseIdleMemory();

        ByteBuffer into = read(BLOCK - 3, BLOCK + 3 + 5, false);
        rig.fake.run();

        assertThat(told).hasSize(1).containsOnlyNulls();
        assertThat(into.get(0)).isEqualTo((byte) 1);
        assertThat(into.get(BLOCK + 2)).isEqualTo((byte) 1);
        assertThat(into.get(BLOCK + 3)).isEqualTo((byte) 2);
        assertThat(into.get(BLOCK + 7)).isEqualTo((byte) 2);
        assertThat(into.hasRemaining()).isFalse();
    }

    /** Its frame is of several records; between the descriptor and this one lie half a MiB. */
    @Test
    void aRecordFarBehindItsDescriptorIsReadAlone() {
        rig.writesBack = false;
        rig.fake.hold(every(Kind.LOG_WRITE, "log/"));
        rig.write(500, 1, 99);
        for (int i = 0; i < 10; i++) {
            rig.write(i * 16L, 16, i + 1);
        }
        rig.fake.holdNothing();
        rig.fake.run();
        rig.log.tail.releaseIdleMemory();
        int readsBefore = rig.fake.done(Kind.READ).size();

        ByteBuffer into = read(155L * BLOCK, 2 * BLOCK, false);
        rig.fake.run();

        assertThat(told).hasSize(1).containsOnlyNulls();
        assertThat(into.get(0)).isEqualTo((byte) 10);
        assertThat(into.get(2 * BLOCK - 1)).isEqualTo((byte) 10);
        assertThat(rig.fake.done(Kind.READ)).hasSize(readsBefore + 2);
    }

    @Test
    void aReadThatWaitsForABufferKeepsItsSegment() {
        rig.writesBack = false;
        rig.write(100, 1, 8);
        rig.write(102, 1, 9);
        rig.fake.run();
        rig.log.fillTo(LogRig.SEGMENT + 3L * BLOCK);
        rig.log.tail.releaseIdleMemory();
        List<ByteBuffer> taken = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            rig.access.buffers().acquire(taken::add);
        }
        ByteBuffer into = read(100L * BLOCK, 3 * BLOCK, false);

        rig.log.segments.release(LogRig.SEGMENT);
        rig.fake.run();
        rig.log.fillTo(4L * LogRig.SEGMENT);
        taken.forEach(rig.access.buffers()::release);
        rig.fake.run();

        assertThat(told).hasSize(1).containsOnlyNulls();
        assertThat(into.get(0)).isEqualTo((byte) 8);
        assertThat(into.get(2 * BLOCK)).isEqualTo((byte) 9);
        assertThat(rig.fake.names()).doesNotContain(LogRig.segment(0));
    }

    @Test
    void aDamagedRecordIsAFailureNotData() {
        rig.writesBack = false;
        rig.write(0, 1, 7);
        rig.fake.run();
        rig.log.tail.releaseIdleMemory();
        rig.fake.file(LogRig.segment(0)).flip(2 * BLOCK);

        assertThatThrownBy(() -> rig.read(0, 1)).hasMessageContaining("payload checksum");
    }

    @Test
    void aFailedReadOfTheImageIsTold() {
        rig.fake.failNext(every(Kind.READ), IoFailure.Kind.IO_ERROR);

        assertThatThrownBy(() -> rig.read(0, 1)).hasMessageContaining("IO_ERROR");
        assertThat(rig.read(0, 1)).containsExactly(0);
    }

    /** Soak, disk-trouble seed 883018: the base of a partial write came from such a read. */
    @Test
    void anImageReadDuringWhichASyncFailsIsReadAgain() {
        rig.write(3, 1, 7);
        rig.fake.run();
        rig.fake.hold(every(Kind.READ));
        ByteBuffer into = read(3L * BLOCK, BLOCK, false);

        rig.reader.hold();
        rig.fake.file(VolumeRig.IMAGE).overwrite(3 * BLOCK, new byte[BLOCK]);
        rig.fake.holdNothing();
        assertThat(told).isEmpty();
        rig.write(3, 1, 7);
        rig.fake.run();
        rig.reader.resume();
        rig.fake.run();

        assertThat(told).hasSize(1).containsOnlyNulls();
        assertThat(into.get(0)).isEqualTo((byte) 7);
    }

    @Test
    void heldReadsAreServedOrFailed() {
        rig.reader.hold();
        read(0, BLOCK, false);
        rig.fake.run();
        assertThat(told).isEmpty();

        rig.reader.resume();
        rig.fake.run();
        rig.reader.hold();
        read(0, BLOCK, false);
        rig.reader.fail(new IoFailure(IoFailure.Kind.CLOSED, "over"));
        read(0, BLOCK, false);

        assertThat(told).hasSize(3);
        assertThat(told.get(0)).isNull();
        assertThat(told.subList(1, 3)).doesNotContainNull();
    }

    @Test
    void durableOnlyReadsFailWhereOthersWait() {
        rig.write(0, 1, 1);
        rig.fake.run();
        rig.fake.hold(every(Kind.READ));
        read(0, BLOCK, true);
        rig.reader.hold();

        rig.fake.holdNothing();
        read(0, BLOCK, true);

        assertThat(told).hasSize(2).doesNotContainNull();
        rig.reader.resume();
        read(0, BLOCK, true);
        rig.fake.run();
        assertThat(told.getLast()).isNull();
    }
}
