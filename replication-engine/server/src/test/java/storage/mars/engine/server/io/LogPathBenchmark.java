// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.BlockFile;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Storage.Kind;

/**
 * Measures what the way shard, log thread, shard adds to a write and fdatasync: the same writes in
 * turn by a plain loop over a {@link FileChannel} on one thread. Arguments: directory, seconds.
 */
final class LogPathBenchmark {

    private static final long SIZE = 64 << 20;

    private final Path root;
    private final long nanos;

    private LogPathBenchmark(Path root, long nanos) {
        this.root = root;
        this.nanos = nanos;
    }

    public static void main(String[] arguments) throws Exception {
        Path root = Files.createTempDirectory(Path.of(arguments[0]), "log-path");
        long nanos = (long) (Double.parseDouble(arguments[1]) * 1e9);
        LogPathBenchmark benchmark = new LogPathBenchmark(root, nanos);
        int[] spins =
                arguments.length > 2
                        ? Arrays.stream(arguments[2].split(","))
                                .mapToInt(Integer::parseInt)
                                .toArray()
                        : new int[] {0, 20, 50, 100};
        for (int round = 0; round < 3; round++) {
            for (int[] sizes : new int[][] {{4096, 4096}, {4096, 131072 - 4096}}) {
                benchmark.plain(sizes);
                for (int spin : spins) {
                    benchmark.shard(sizes, spin);
                }
            }
        }
        System.exit(0);
    }

    private void plain(int[] sizes) throws Exception {
        Path file = root.resolve("plain");
        OpenFile created = FileCreation.create(file, Kind.LOG, SIZE, true);
        {
            created.close();
        }
        long[] samples = new long[1 << 20];
        int count = 0;
        try (FileChannel channel = CacheBypass.open(file, true)) {
            ByteBuffer[] buffers = buffers(sizes);
            long total = Arrays.stream(sizes).sum();
            long position = 0;
            long start = System.nanoTime();
            long before = start;
            while (before - start < nanos) {
                for (ByteBuffer buffer : buffers) {
                    buffer.clear();
                }
                channel.position(position);
                channel.write(buffers);
                channel.force(false);
                position = (position + total) % (SIZE - total) & -4096;
                long now = System.nanoTime();
                samples[count++] = now - before;
                before = now;
            }
        }
        Files.delete(file);
        report("plain loop", sizes, samples, count, -1);
    }

    private void shard(int[] sizes, int spinMicros) throws Exception {
        ShardGroup group = ShardGroup.start(1);
        IoThreads threads =
                new IoThreads(new IoThreads.Settings(1, 2, Duration.ofNanos(spinMicros * 1000L)));
        NettyShard shard = group.shards().getFirst();
        Loop loop = new Loop(sizes);
        try (DataDirectory directory = DataDirectory.open(root)) {
            FileStorage storage = new FileStorage(directory, shard, threads);
            shard.execute(() -> storage.create("log", Kind.LOG, SIZE, loop::begin));
            loop.ended.await();
            report("shard, spin " + spinMicros, sizes, loop.samples, loop.count, loop.allocated);
            CountDownLatch deleted = new CountDownLatch(1);
            shard.execute(() -> storage.delete("log", failure -> deleted.countDown()));
            deleted.await();
            threads.close(Duration.ofSeconds(5));
        }
        group.stop(Duration.ofSeconds(5));
    }

    private static ByteBuffer[] buffers(int[] sizes) {
        return Arrays.stream(sizes)
                .mapToObj(size ->
                        ByteBuffer.allocateDirect(size + 4096)
                                .alignedSlice(4096)
                                .limit(size)
                                .slice())
                .toArray(ByteBuffer[]::new);
    }

    private static void report(
            String what, int[] sizes, long[] samples, int count, long allocated) {
        long sum = 0;
        for (int i = 0; i < count; i++) {
            sum += samples[i];
        }
        Arrays.sort(samples, 0, count);
        System.out.printf(
                "%-16s %3d KiB  %7d ops  mean %6.1f  p50 %6.1f  p99 %6.1f us  %7.1f B/op%n",
                what,
                Arrays.stream(sizes).sum() / 1024,
                count,
                sum / 1e3 / count,
                samples[count / 2] / 1e3,
                samples[count * 99 / 100] / 1e3,
                (double) allocated / count);
    }

    private final class Loop implements Completion {
        private final CountDownLatch ended = new CountDownLatch(1);
        private final long[] samples = new long[1 << 20];
        private final ByteBuffer[] buffers;
        private final long total;
        private final ThreadMXBean bean = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        private @Nullable BlockFile file;
        private long position;
        private long start;
        private long before;
        private long allocated;
        private int count;

        Loop(int[] sizes) {
            this.buffers = LogPathBenchmark.buffers(sizes);
            this.total = Arrays.stream(sizes).sum();
        }

        void begin(@Nullable BlockFile file, @Nullable IoFailure failure) {
            if (file == null) {
                throw new IllegalStateException(String.valueOf(failure));
            }
            this.file = file;
            allocated = -bean.getCurrentThreadAllocatedBytes();
            start = System.nanoTime();
            before = start;
            write();
        }

        private void write() {
            for (ByteBuffer buffer : buffers) {
                buffer.clear();
            }
            Objects.requireNonNull(file).writeDurably(position, buffers, buffers.length, this);
        }

        @Override
        public void completed(@Nullable IoFailure failure) {
            if (failure != null) {
                throw new IllegalStateException(String.valueOf(failure));
            }
            position = (position + total) % (SIZE - total) & -4096;
            long now = System.nanoTime();
            samples[count++] = now - before;
            before = now;
            if (now - start < nanos) {
                write();
            } else {
                allocated += bean.getCurrentThreadAllocatedBytes();
                Objects.requireNonNull(file).close();
                ended.countDown();
            }
        }
    }
}
