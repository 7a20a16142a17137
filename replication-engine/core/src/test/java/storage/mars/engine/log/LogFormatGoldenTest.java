// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import storage.mars.engine.fake.FakePorts;
import storage.mars.engine.fake.LogRig;
import storage.mars.engine.log.Chain.Link;
import storage.mars.engine.log.LogRecovery.Found;
import storage.mars.engine.log.MetadataCodec.Slot;
import storage.mars.engine.log.ReplicaMetadata.Checkpoint;
import storage.mars.engine.log.ReplicaMetadata.Fork;
import storage.mars.engine.log.ReplicaMetadata.Grant;
import storage.mars.engine.log.ReplicaMetadata.SyncState;

/**
 * Log format version 1, byte for byte: what is written is what the golden files hold, and what they
 * hold is read. A file that differs or is missing is left in target/golden for a look.
 */
class LogFormatGoldenTest {

    private static final int BLOCK = Blocks.SIZE;
    private static final long SEGMENT = LogRig.SEGMENT;
    private static final long START = SEGMENT - 8 * BLOCK;
    private static final Link LINK = new Link(0x1111222233334444L, 0x5555666677778888L);

    static byte[] golden(String name) {
        try (InputStream in =
                LogFormatGoldenTest.class.getResourceAsStream("/log-format/v1/" + name)) {
            return in == null ? new byte[0] : in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void assertGolden(String name, byte[] actual) throws IOException {
        byte[] expected = golden(name);
        if (!Arrays.equals(expected, actual)) {
            Path seen = Path.of("target", "golden", name);
            Files.createDirectories(seen.getParent());
            Files.write(seen, actual);
        }
        assertThat(actual).as(name).isEqualTo(expected);
    }

    /**
     * The last eight blocks of a segment with two frames and a PAD, and the next with header and
     * three frames.
     */
    private static LogRig written() {
        LogRig rig = new LogRig(new FakePorts(), 64 << 20, Long.MAX_VALUE, START, LINK);
        rig.frame(0, 2, 0xa1);
        rig.fake.advance(1_000_000);
        rig.range(RecordType.TRIM, 16, 4);
        rig.range(RecordType.ZERO, 32, 1);
        rig.fake.run();
        rig.fake.advance(1_000_000);
        rig.write(1, 5, 0xa2);
        rig.fake.run();
        rig.fake.advance(1_000_000);
        rig.write(7, 1, 0xa3);
        rig.range(RecordType.ZERO, 7, 1);
        rig.write(8, 1, 0xa4);
        rig.fake.run();
        rig.control(RecordType.EPOCH);
        rig.fake.run();
        return rig;
    }

    @Test
    void aSegmentIsWrittenByteForByte() throws IOException {
        LogRig rig = written();

        byte[] first = rig.fake.file(LogRig.segment(START)).data;
        byte[] second = rig.fake.file(LogRig.segment(SEGMENT)).data;

        assertGolden("segment-end.bin", Arrays.copyOfRange(first, (int) START, (int) SEGMENT));
        assertGolden("segment-start.bin", Arrays.copyOf(second, 13 * BLOCK));
    }

    @Test
    void aSegmentIsRead() {
        FakePorts fake = new FakePorts();
        fake.put(LogRig.segment(START), (int) SEGMENT)
                .overwrite((int) START, golden("segment-end.bin"));
        fake.put(LogRig.segment(SEGMENT), (int) SEGMENT).overwrite(0, golden("segment-start.bin"));
        ReplicaMetadata metadata =
                LogRig.metadata(
                                new EpochHistory(
                                        List.of(
                                                new Epoch(
                                                        LogRig.EPOCH,
                                                        LogRig.REPLICA,
                                                        0,
                                                        Epoch.OPEN))),
                                new Checkpoint(START, LINK),
                                START)
                        .with(draft -> draft.logStart = START);
        List<String> seen = new ArrayList<>();
        SegmentStore segments =
                new SegmentStore(fake.ports(), "log", LogRig.LAYOUT, Long.MAX_VALUE);
        segments.open(failure -> {});
        fake.run();
        List<Found> found = new ArrayList<>();

        new LogRecovery(
                        segments,
                        metadata,
                        new AlignedBuffers(4),
                        frame -> seen.add(describe(frame)),
                        found::add)
                .start();
        fake.run();

        assertThat(found.getFirst())
                .isInstanceOfSatisfying(
                        Found.Sound.class,
                        sound -> assertThat(sound.end()).isEqualTo(SEGMENT + 12L * BLOCK));
        assertThat(seen)
                .containsExactly(
                        "-8 durable -8 at 0: WRITE 0:0+2",
                        "-5 durable -5 at 1000: TRIM 0:16+4, ZERO 0:32+1",
                        "-4 PAD",
                        "1 durable -4 at 2000: WRITE 0:1+5",
                        "7 durable 7 at 3000: WRITE 0:7+1, ZERO 0:7+1, WRITE 0:8+1",
                        "10 durable 10 at 3000: EPOCH 0:0+1");
    }

    private static String describe(FrameView frame) {
        long at = (frame.position() - SEGMENT) / BLOCK;
        if (frame.isPad()) {
            return at + " PAD";
        }
        List<String> records = new ArrayList<>();
        for (int i = 0; i < frame.recordCount(); i++) {
            records.add(
                    frame.type(i)
                            + " "
                            + frame.volume(i)
                            + ":"
                            + frame.rangeOffset(i) / BLOCK
                            + "+"
                            + frame.rangeLength(i) / BLOCK);
        }
        return at
                + " durable "
                + (frame.durableAtSeal() - SEGMENT) / BLOCK
                + " at "
                + (frame.wallMicros() - 1_700_000_000_000_000L)
                + ": "
                + String.join(", ", records);
    }

    static ReplicaMetadata full() {
        EpochId before = new EpochId(2, 0, 0xd0d0d0d0d0d0d0d0L);
        EpochHistory history =
                new EpochHistory(
                        List.of(
                                new Epoch(before, 9, 0, 81920),
                                new Epoch(LogRig.EPOCH, LogRig.REPLICA, 81920, Epoch.OPEN)));
        return LogRig.metadata(history, new Checkpoint(122880, LINK), 204800)
                .with(draft -> {
                    draft.logStart = 61440;
                    draft.rested = true;
                    draft.sync = new SyncState(true, 1, 65536, 131072);
                    draft.grant = new Grant(9, 4);
                    draft.fork = new Fork(163840, new EpochId(5, 0, -1), 9);
                });
    }

    @Test
    void aMetadataSlotIsWrittenByteForByte() throws IOException {
        ByteBuffer slot = ByteBuffer.allocate(MetadataCodec.SLOT).order(ByteOrder.LITTLE_ENDIAN);

        new MetadataCodec().encode(17, full(), slot);

        assertGolden("metadata-slot.bin", slot.array());
    }

    @Test
    void aMetadataSlotIsRead() {
        Slot slot = new MetadataCodec().decode(ByteBuffer.wrap(golden("metadata-slot.bin")));

        assertThat(slot).isEqualTo(new Slot.Good(17, full()));
    }
}
