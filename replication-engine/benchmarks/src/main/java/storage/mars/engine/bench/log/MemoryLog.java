// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.bench.log;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.List;
import storage.mars.engine.log.Chain;
import storage.mars.engine.log.EpochId;
import storage.mars.engine.log.FrameBuilder;
import storage.mars.engine.log.LogMemory;
import storage.mars.engine.log.LogTail;
import storage.mars.engine.log.LogWriter;
import storage.mars.engine.log.RecordType;
import storage.mars.engine.log.SegmentLayout;
import storage.mars.engine.log.SegmentStore;
import storage.mars.engine.port.BlockFile;
import storage.mars.engine.port.Callback;
import storage.mars.engine.port.Clock;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Ports;
import storage.mars.engine.port.Shard;
import storage.mars.engine.port.Storage;

/**
 * The log of a primary on a device that costs nothing: what is written is durable as soon as the
 * shard gets to it, and forgotten. What is measured is the engine's own work.
 */
public final class MemoryLog {

    public static final long RESOURCE = 7;
    public static final SegmentLayout LAYOUT = SegmentLayout.DEFAULT;

    private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
    private final SegmentStore segments;
    private final LogTail tail;
    private final FrameBuilder builder;
    private final LogWriter writer;
    private final Ports ports =
            new Ports(
                    new QueueShard(),
                    new StandingClock(),
                    () -> 1,
                    new VoidStorage(),
                    (address, dialer) -> dialer.failed("nobody"),
                    (work, done) -> {
                        throw new UnsupportedOperationException();
                    });

    /** A log whose window holds up to that much. */
    public MemoryLog(long memoryBytes) {
        segments = new SegmentStore(ports, "log", LAYOUT, 4L * LAYOUT.segmentBytes());
        tail = new LogTail(RESOURCE, segments, new LogMemory(memoryBytes), 0, Chain.Link.START);
        run();
        builder = new FrameBuilder(tail, ports.clock());
        builder.epoch(new EpochId(1, 0, 1));
        writer = new LogWriter(tail, ports, new Listener());
    }

    /** What recovery and reception see of it. */
    public LogTail tail() {
        return tail;
    }

    /** One record that replaces {@code length} bytes at {@code offset} of volume 0. */
    public void append(long offset, ByteBuffer payload, int length) {
        if (!builder.reserve(length, false)) {
            throw new IllegalStateException("no room: " + segments.stall());
        }
        builder.append(RecordType.WRITE, 0, offset, payload, 0, length);
        writer.wake();
    }

    /** Everything that was appended becomes durable. */
    public void commit() {
        run();
        segments.release(tail.durable());
    }

    private void run() {
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            task.run();
        }
    }

    private final class Listener implements LogWriter.Listener {

        @Override
        public void beforeWrite() {
            builder.seal();
        }

        @Override
        public void durable(long from, long to) {}

        @Override
        public void logFailed(IoFailure failure) {
            throw new IllegalStateException(failure.toString());
        }
    }

    private final class QueueShard implements Shard {

        @Override
        public void execute(Runnable task) {
            tasks.add(task);
        }

        @Override
        public Timer schedule(long delayNanos, Runnable task) {
            return () -> {};
        }

        @Override
        public boolean isCurrent() {
            return true;
        }
    }

    private static final class StandingClock implements Clock {

        @Override
        public long nanoTime() {
            return 0;
        }

        @Override
        public long wallMicros() {
            return 0;
        }
    }

    private final class VoidStorage implements Storage {

        @Override
        public void list(String directory, Callback<List<String>> done) {
            tasks.add(() -> done.completed(List.of(), null));
        }

        @Override
        public void createDirectory(String directory, Completion done) {
            succeed(done);
        }

        @Override
        public void create(String name, Kind kind, long size, Callback<BlockFile> done) {
            tasks.add(() -> done.completed(new VoidFile(size), null));
        }

        @Override
        public void open(String name, Kind kind, Callback<BlockFile> done) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void rename(String from, String to, Completion done) {
            succeed(done);
        }

        @Override
        public void delete(String name, Completion done) {
            succeed(done);
        }

        @Override
        public long usableBytes() {
            return Long.MAX_VALUE;
        }
    }

    private void succeed(Completion done) {
        tasks.add(() -> done.completed(null));
    }

    private final class VoidFile implements BlockFile {

        private final long size;

        private VoidFile(long size) {
            this.size = size;
        }

        @Override
        public long size() {
            return size;
        }

        @Override
        public void read(long position, ByteBuffer into, Completion done) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void readDevice(long position, ByteBuffer into, BitSet unlike, Completion done) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void write(long position, ByteBuffer from, Completion done) {
            succeed(done);
        }

        @Override
        public void writeDurably(long position, ByteBuffer[] from, int count, Completion done) {
            succeed(done);
        }

        @Override
        public void zero(long position, long length, Completion done) {
            succeed(done);
        }

        @Override
        public void sync(Completion done) {
            succeed(done);
        }

        @Override
        public void resize(long newSize, Completion done) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void nextExtent(long position, long limit, Callback<Long> done) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void close() {}
    }
}
