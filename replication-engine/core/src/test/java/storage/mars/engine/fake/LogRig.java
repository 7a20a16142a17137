// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.fake;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.AlignedBuffers;
import storage.mars.engine.log.Blocks;
import storage.mars.engine.log.Chain;
import storage.mars.engine.log.Epoch;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.EpochId;
import storage.mars.engine.log.FrameBuilder;
import storage.mars.engine.log.FrameIntake;
import storage.mars.engine.log.LogAccess;
import storage.mars.engine.log.LogBatchReader;
import storage.mars.engine.log.LogFormat;
import storage.mars.engine.log.LogLocation;
import storage.mars.engine.log.LogMemory;
import storage.mars.engine.log.LogRecovery;
import storage.mars.engine.log.LogTail;
import storage.mars.engine.log.LogWriter;
import storage.mars.engine.log.RecordType;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.log.ReplicaMetadata.Checkpoint;
import storage.mars.engine.log.ReplicaMetadata.Identity;
import storage.mars.engine.log.ReplicaMetadata.Member;
import storage.mars.engine.log.ReplicaMetadata.Role;
import storage.mars.engine.log.ReplicaMetadata.Switches;
import storage.mars.engine.log.ReplicaMetadata.SyncState;
import storage.mars.engine.log.ReplicaMetadata.VolumeShape;
import storage.mars.engine.log.SegmentLayout;
import storage.mars.engine.log.SegmentStore;
import storage.mars.engine.port.IoFailure;

/**
 * A log of one volume on {@link FakePorts}: segments of 2 MiB, one open epoch that this replica
 * writes.
 */
public final class LogRig implements LogWriter.Listener {

    public static final long RESOURCE = 0x0102030405060708L;
    public static final long REPLICA = 7;
    public static final EpochId EPOCH = new EpochId(3, 1, 0xe1e1e1e1L);
    public static final SegmentLayout LAYOUT = new SegmentLayout(LogFormat.MIN_SEGMENT);
    public static final int SEGMENT = LAYOUT.segmentBytes();
    public static final long VOLUME_BYTES = 4 << 20;

    public final FakePorts fake;
    public final SegmentStore segments;
    public final LogMemory memory;
    public final LogTail tail;
    public final FrameBuilder builder;
    public final FrameIntake intake;
    public final LogWriter writer;
    public final LogAccess log;
    public final List<Long> durable = new ArrayList<>();
    public @Nullable IoFailure failure;
    public EpochHistory history =
            new EpochHistory(List.of(new Epoch(EPOCH, REPLICA, 0, Epoch.OPEN)));
    public int rooms;
    public Runnable onDurable = () -> {};

    public LogRig() {
        this(new FakePorts(), 64 << 20, Long.MAX_VALUE, 0, Chain.Link.START);
    }

    public LogRig(FakePorts fake, long memoryBytes, long budget, long position, Chain.Link link) {
        this(fake, new LogMemory(memoryBytes), budget, position, link);
    }

    public LogRig(FakePorts fake, LogMemory memory, long budget, long position, Chain.Link link) {
        this.fake = fake;
        this.memory = memory;
        segments = new SegmentStore(fake.ports(), "log", LAYOUT, budget);
        segments.open(failure -> {});
        fake.run();
        tail = new LogTail(RESOURCE, segments, memory, position, link);
        tail.whenRoom(() -> rooms++);
        builder = new FrameBuilder(tail, fake);
        builder.epoch(EPOCH);
        intake = new FrameIntake(tail, volume -> volume < 16 ? 1L << 40 : -1);
        writer = new LogWriter(tail, fake.ports(), this);
        LogBatchReader reader = new LogBatchReader(segments, tail.verifier());
        log = new LogAccess(tail, reader, new AlignedBuffers(16), () -> history);
        fake.run();
    }

    /** The log as it goes on after a recovery. */
    public static LogRig after(FakePorts fake, LogRecovery.Found.Sound found) {
        return new LogRig(fake, 64 << 20, Long.MAX_VALUE, found.end(), found.link());
    }

    /** A payload that says what it is. */
    public static ByteBuffer payload(int length, int fill) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) fill);
        return ByteBuffer.wrap(bytes);
    }

    /** Appends a WRITE if there is room; returns its location or -1. */
    public long write(long block, int blocks, int fill) {
        return write(builder, writer, block, blocks, fill);
    }

    /** The same behind any log. */
    public static long write(
            FrameBuilder builder, LogWriter writer, long block, int blocks, int fill) {
        int length = blocks * Blocks.SIZE;
        if (!builder.reserve(length, false)) {
            return -1;
        }
        long at =
                builder.append(
                        RecordType.WRITE, 0, block * Blocks.SIZE, payload(length, fill), 0, length);
        writer.wake();
        return LogLocation.of(at, builder.frame());
    }

    public boolean range(RecordType type, long block, long blocks) {
        boolean room = builder.reserve(0, false);
        if (room) {
            builder.appendRange(type, 0, block * Blocks.SIZE, blocks * Blocks.SIZE);
            writer.wake();
        }
        return room;
    }

    public boolean control(RecordType type) {
        boolean room = builder.reserve(Blocks.SIZE, true);
        if (room) {
            builder.append(type, 0, 0, payload(Blocks.SIZE, 0xcc), 0, Blocks.SIZE);
            writer.wake();
        }
        return room;
    }

    /** A frame of its own that is durable. */
    public long frame(long block, int blocks, int fill) {
        long location = write(block, blocks, fill);
        fake.run();
        return location;
    }

    /** Grows the log by frames of one record of at most 64 KiB until it ends at {@code end}. */
    public void fillTo(long end) {
        while (tail.end() < end) {
            long left = end - tail.end() - (LAYOUT.isHeader(tail.end()) ? Blocks.SIZE : 0);
            int payload = (int) Math.min(LogFormat.MAX_PAYLOAD, left - LogFormat.BLOCK);
            if (left - LogFormat.BLOCK - payload == LogFormat.BLOCK) {
                payload -= LogFormat.BLOCK;
            }
            if (write(0, payload >> Blocks.SHIFT, 0x55) < 0) {
                throw new IllegalStateException("no room at " + tail.end());
            }
            fake.run();
        }
    }

    public static ReplicaMetadata metadata(
            EpochHistory history, Checkpoint checkpoint, long durableKnown) {
        return new ReplicaMetadata(
                new Identity(RESOURCE, "ns/claim", SEGMENT, REPLICA, "ams"),
                List.of(new VolumeShape(0, "data", VOLUME_BYTES)),
                List.of(
                        new Member(REPLICA, "ams", "ams:7000", true),
                        new Member(9, "ber", "ber:7000", false)),
                Role.PRIMARY,
                history,
                3,
                checkpoint,
                durableKnown,
                0,
                false,
                SyncState.DONE,
                0xabcdefL,
                null,
                null,
                null,
                new Switches(false, Switches.UNLIMITED, 1L << 30),
                0xb007L);
    }

    public ReplicaMetadata metadata() {
        return metadata(history, new Checkpoint(0, Chain.Link.START), 0);
    }

    /** Recovers what is in {@code fake}; {@code shown} gets the position of each frame. */
    public static LogRecovery.Found recover(
            FakePorts fake, ReplicaMetadata metadata, List<Long> shown) {
        SegmentStore segments = new SegmentStore(fake.ports(), "log", LAYOUT, Long.MAX_VALUE);
        segments.open(failure -> {});
        fake.run();
        List<LogRecovery.Found> found = new ArrayList<>();
        new LogRecovery(
                        segments,
                        metadata,
                        new AlignedBuffers(4),
                        f -> shown.add(f.position()),
                        found::add)
                .start();
        fake.run();
        return found.getFirst();
    }

    public static String segment(long position) {
        return String.format("log/%020d.log", LAYOUT.start(position));
    }

    /**
     * The bytes of [from, to) of the log as the segments have them; PAD and segments as shipped.
     */
    public ByteBuffer shipped(long from, long to) {
        ByteBuffer out =
                ByteBuffer.allocate((int) (to - from) + SEGMENT).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer buffer =
                ByteBuffer.allocateDirect(LogFormat.MAX_FRAME).order(ByteOrder.LITTLE_ENDIAN);
        long[] position = {from};
        while (position[0] < to) {
            log.reader()
                    .read(
                            position[0],
                            to,
                            history,
                            null,
                            buffer,
                            batch -> {
                                if (batch.fault() != null) {
                                    throw new IllegalStateException(batch.fault());
                                }
                                out.put(batch.bytes());
                                position[0] = batch.to();
                            });
            fake.run();
        }
        return out.flip();
    }

    @Override
    public void beforeWrite() {
        builder.seal();
    }

    @Override
    public void durable(long from, long to) {
        durable.add(to);
        onDurable.run();
    }

    @Override
    public void logFailed(IoFailure reason) {
        failure = reason;
    }
}
