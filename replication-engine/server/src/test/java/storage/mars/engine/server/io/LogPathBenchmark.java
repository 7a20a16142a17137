// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.BlockFile;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Storage.Kind;

/**
 * Measures what the way shard, log thread, shard adds to a write and fdatasync: the same writes in
 * turn by a plain loop over a {@link FileChannel} on one thread. Arguments: directory, rounds.
 */
final class LogPathBenchmark {

    private static final long SIZE = 16 << 20;
    private static final long TURN_NANOS = 200_000_000;
    private static final int[][] SIZES = {{4096, 4096}, {4096, 131072 - 4096}};

    private final Path root;

    private LogPathBenchmark(Path root) {
        this.root = root;
    }

    /** Short turns of each kind one after the other, so that a noisy machine disturbs all alike. */
    public static void main(String[] arguments) throws Exception {
        Path root = Files.createTempDirectory(Path.of(arguments[0]), "log-path");
        int rounds = Integer.parseInt(arguments[1]);
        LogPathBenchmark benchmark = new LogPathBenchmark(root);
        for (int[] sizes : SIZES) {
            Map<String, List<Double>> medians = new LinkedHashMap<>();
            for (int round = 0; round <= rounds; round++) {
                double plain = benchmark.plain(sizes);
                add(medians, "plain loop, us", plain, round);
                for (int spin : new int[] {0, 20, 50, 100}) {
                    double ratio = benchmark.shard(sizes, spin) / plain;
                    add(medians, "shard, spin " + spin + " us, ratio", ratio, round);
                }
            }
            medians.forEach((what, values) -> report(sizes, what, values));
        }
        System.exit(0);
    }

    /** The first round warms up. */
    private static void add(
            Map<String, List<Double>> medians, String what, double value, int round) {
        if (round > 0) {
            medians.computeIfAbsent(what, _ -> new ArrayList<>()).add(value);
        }
    }

    private static void report(int[] sizes, String what, List<Double> values) {
        values.sort(null);
        System.out.printf(
                "%3d KiB  %-28s median %6.2f  quartiles %6.2f %6.2f%n",
                Arrays.stream(sizes).sum() / 1024,
                what,
                values.get(values.size() / 2),
                values.get(values.size() / 4),
                values.get(values.size() * 3 / 4));
    }

    /** Median time of one write in microseconds. */
    private double plain(int[] sizes) throws Exception {
        Path file = root.resolve("plain");
        FileCreation.create(file, Kind.LOG, SIZE, true).close();
        Samples samples = new Samples();
        try (FileChannel channel = CacheBypass.open(file, true)) {
            ByteBuffer[] buffers = buffers(sizes);
            long total = Arrays.stream(sizes).sum();
            long position = 0;
            while (samples.goOn()) {
                for (ByteBuffer buffer : buffers) {
                    buffer.clear();
                }
                FileCalls.gatherFully(channel, position, buffers, buffers.length);
                channel.force(false);
                position = (position + total) % (SIZE - total) & -4096;
            }
        }
        Files.delete(file);
        return samples.median();
    }

    private double shard(int[] sizes, int spinMicros) throws Exception {
        ShardGroup group = ShardGroup.start(1);
        Duration spin = Duration.ofNanos(spinMicros * 1000L);
        IoThreads threads = new IoThreads(new IoThreads.Settings(1, 2, spin));
        NettyShard shard = group.shards().getFirst();
        Loop loop = new Loop(sizes);
        try (DataDirectory directory = DataDirectory.open(DirectoryLock.take(root))) {
            FileStorage storage = new FileStorage(directory, shard, threads);
            shard.execute(() -> storage.create("log", Kind.LOG, SIZE, loop::begin));
            loop.ended.await();
            new StorageCaller(shard, storage).delete("log");
            threads.close(Duration.ofSeconds(5));
        }
        group.stop(Duration.ofSeconds(5));
        return loop.samples.median();
    }

    private static ByteBuffer[] buffers(int[] sizes) {
        return Arrays.stream(sizes).mapToObj(StorageContract::aligned).toArray(ByteBuffer[]::new);
    }

    /** The times between the calls of {@link #goOn}, for one turn. */
    private static final class Samples {

        private final long[] values = new long[1 << 16];
        private long start;
        private long before;
        private int count;

        boolean goOn() {
            long now = System.nanoTime();
            if (before == 0) {
                start = now;
            } else {
                values[count++] = now - before;
            }
            before = now;
            return now - start < TURN_NANOS;
        }

        double median() {
            Arrays.sort(values, 0, count);
            return values[count / 2] / 1e3;
        }
    }

    private static final class Loop implements Completion {

        private final CountDownLatch ended = new CountDownLatch(1);
        private final Samples samples = new Samples();
        private final ByteBuffer[] buffers;
        private final long total;
        private @Nullable BlockFile file;
        private long position;

        Loop(int[] sizes) {
            this.buffers = LogPathBenchmark.buffers(sizes);
            this.total = Arrays.stream(sizes).sum();
        }

        void begin(@Nullable BlockFile created, @Nullable IoFailure failure) {
            file = Objects.requireNonNull(created, String.valueOf(failure));
            completed(null);
        }

        @Override
        public void completed(@Nullable IoFailure failure) {
            BlockFile log = Objects.requireNonNull(file);
            if (failure != null || !samples.goOn()) {
                log.close();
                ended.countDown();
                return;
            }
            for (ByteBuffer buffer : buffers) {
                buffer.clear();
            }
            log.writeDurably(position, buffers, buffers.length, this);
            position = (position + total) % (SIZE - total) & -4096;
        }
    }
}
