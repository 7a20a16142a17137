// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import storage.mars.engine.fake.LogRig;
import storage.mars.engine.log.FrameIntake.Taken;
import storage.mars.engine.log.MetadataCodec.Slot;

/**
 * No damaged or shortened byte of a log or of metadata is ever accepted, and none is ever an
 * exception.
 */
class FormatDamageTest {

    private static final int BLOCK = Blocks.SIZE;
    private final LogRig rig = new LogRig();
    private final FrameVerifier verifier = new FrameVerifier(LogRig.RESOURCE, LogRig.LAYOUT);
    private final FrameView view = new FrameView();

    /** A copy of the log from its first byte on. */
    private ByteBuffer log(int bytes) {
        byte[] file = rig.fake.file(LogRig.segment(0)).data;
        return ByteBuffer.wrap(Arrays.copyOf(file, bytes)).order(ByteOrder.LITTLE_ENDIAN);
    }

    private boolean frameIsAccepted(ByteBuffer log) {
        view.wrap(log, BLOCK);
        return verifier.descriptorFault(view, BLOCK) == null && verifier.payloadFault(view) == null;
    }

    private static void flip(ByteBuffer bytes, int bit) {
        bytes.put(bit >> 3, (byte) (bytes.get(bit >> 3) ^ 1 << (bit & 7)));
    }

    @Test
    void everyFlippedBitOfAFrameIsFound() {
        rig.write(3, 1, 0x5a);
        rig.range(RecordType.TRIM, 8, 2);
        rig.fake.run();
        ByteBuffer log = log(3 * BLOCK);
        assertThat(frameIsAccepted(log)).isTrue();

        for (int bit = BLOCK * 8; bit < 3 * BLOCK * 8; bit++) {
            flip(log, bit);
            assertThat(frameIsAccepted(log)).as("bit %d", bit).isFalse();
            flip(log, bit);
        }
    }

    @Test
    void everyFlippedBitOfAPadIsFound() {
        rig.fillTo(LogRig.SEGMENT - 2 * BLOCK);
        rig.frame(0, 4, 1);
        int pad = LogRig.SEGMENT - 2 * BLOCK;
        ByteBuffer log = log(LogRig.SEGMENT);
        view.wrap(log, pad);
        assertThat(verifier.descriptorFault(view, pad)).isNull();
        assertThat(view.isPad()).isTrue();

        for (int bit = pad * 8; bit < (pad + BLOCK) * 8; bit++) {
            flip(log, bit);
            assertThat(verifier.descriptorFault(view, pad)).as("bit %d", bit).isNotNull();
            flip(log, bit);
        }
    }

    @Test
    void everyFlippedBitOfASegmentHeaderIsFound() {
        rig.frame(0, 1, 1);
        ByteBuffer log = log(BLOCK);
        assertThat(verifier.headerFault(log, 0, 0, rig.history, new Chain())).isNull();

        for (int bit = 0; bit < BLOCK * 8; bit++) {
            flip(log, bit);
            assertThat(verifier.headerFault(log, 0, 0, null, null)).as("bit %d", bit).isNotNull();
            flip(log, bit);
        }
    }

    @Test
    void everyFlippedBitOfAMetadataSlotIsFound() {
        ByteBuffer slot = ByteBuffer.allocateDirect(MetadataCodec.SLOT);
        MetadataCodec codec = new MetadataCodec();
        codec.encode(17, LogFormatGoldenTest.full(), slot);
        assertThat(codec.decode(slot.clear())).isInstanceOf(Slot.Good.class);

        for (int bit = 0; bit < MetadataCodec.SLOT * 8; bit++) {
            flip(slot, bit);
            if (!(codec.decode(slot.clear()) instanceof Slot.Bad)) {
                assertThat(bit).as("bit that is not found").isNegative();
            }
            flip(slot, bit);
        }
    }

    @Test
    void aMetadataSlotTornAtAnyByteIsFound() {
        ByteBuffer whole = ByteBuffer.allocateDirect(MetadataCodec.SLOT);
        ByteBuffer torn = ByteBuffer.allocateDirect(MetadataCodec.SLOT);
        MetadataCodec codec = new MetadataCodec();
        codec.encode(17, LogFormatGoldenTest.full(), whole);
        codec.encode(16, LogFormatGoldenTest.full().with(draft -> draft.incarnation++), torn);
        Slot before = codec.decode(torn.clear());
        Slot after = codec.decode(whole.clear());

        for (int at = 0; at < MetadataCodec.SLOT; at++) {
            Slot slot = codec.decode(torn.clear());
            if (at == 0
                    ? !slot.equals(before)
                    : slot instanceof Slot.Good && !slot.equals(before)) {
                assertThat(at).as("torn at this byte").isNegative();
            }
            torn.put(at, whole.get(at));
        }

        assertThat(codec.decode(torn.clear())).isEqualTo(after);
    }

    @Test
    void aTailCutAtAnyByteIsNotAccepted() {
        rig.frame(0, 1, 0x5a);
        for (int cut = BLOCK; cut < 3 * BLOCK; cut++) {
            ByteBuffer zeroed = log(3 * BLOCK);
            for (int i = cut; i < 3 * BLOCK; i++) {
                zeroed.put(i, (byte) 0);
            }
            boolean same = zeroed.equals(log(3 * BLOCK));

            assertThat(frameIsAccepted(zeroed)).as("cut at %d", cut).isEqualTo(same);
        }
    }

    @Test
    void aReceivedTailOfAnyLengthIsTakenWholeOrNotAtAll() {
        rig.frame(0, 1, 0x5a);
        ByteBuffer log = log(3 * BLOCK);
        for (int length = 0; length <= 3 * BLOCK; length++) {
            LogRig secondary = length % BLOCK == 0 ? new LogRig() : null;
            FrameIntake intake = secondary == null ? rig.intake : secondary.intake;
            long from = secondary == null ? rig.tail.end() : 0;

            Taken taken = intake.take(log.clear().limit(length), 0, rig.history);

            if (secondary == null) {
                assertThat(taken).isInstanceOf(Taken.Wrong.class);
                assertThat(rig.tail.end()).isEqualTo(from);
            } else {
                assertThat(taken instanceof Taken.All).isEqualTo(length != 2 * BLOCK);
                assertThat(secondary.tail.end()).isEqualTo(length == 2 * BLOCK ? BLOCK : length);
            }
        }
    }
}
