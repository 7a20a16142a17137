// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.bench.volume;

import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import storage.mars.engine.log.LogLocation;
import storage.mars.engine.volume.IndexMemory;
import storage.mars.engine.volume.Lookup;
import storage.mars.engine.volume.VolumeIndex;

/** What a write costs in the index until it is in the image, and what reads cost beside it. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class DirtyIndexBench {

    private static final int BATCH = 64;
    private static final int IMAGE_BLOCKS = 1 << 18;
    private static final long FRAME = 1 << 20;

    @Param({"0", "1000", "200000"})
    int dirtyBlocks;

    private final VolumeIndex index = new VolumeIndex(new IndexMemory(Integer.MAX_VALUE));
    private final Lookup found = new Lookup();
    private final SplittableRandom random = new SplittableRandom(1);
    private final long[] blocks = new long[BATCH];
    private long frame;

    @Setup
    public void fill() {
        while (index.blocks() < dirtyBlocks) {
            batch(IMAGE_BLOCKS);
        }
    }

    /** Admission, durability and write-back of one random block, per block. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long writeOfOneBlock() {
        batch(IMAGE_BLOCKS);
        drain();
        return index.applied(frame);
    }

    /** The same for a record of 16 blocks at a stretch of 4 MiB, per record. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long writeOfSixteenBlocks() {
        frame += 4 * FRAME;
        long first = random.nextInt(IMAGE_BLOCKS / 1024) * 1024L;
        for (int i = 0; i < BATCH; i++) {
            index.admitWrite(0, first + i * 16L, 16, location(i * 16), frame + i);
        }
        for (int i = 0; i < BATCH; i++) {
            index.durableWrite(0, first + i * 16L, 16, location(i * 16), frame + i, frame);
        }
        drain();
        return index.applied(frame);
    }

    @Benchmark
    public int lookupOfOneBlock() {
        index.lookup(0, random.nextInt(IMAGE_BLOCKS), 1, false, found);
        return found.blocks();
    }

    /** A read of 1 MiB where the index has nothing, but has entries of the volume. */
    @Benchmark
    public int lookupOfUntouchedMebibyte() {
        index.lookup(0, IMAGE_BLOCKS + random.nextInt(IMAGE_BLOCKS), 256, false, found);
        return found.blocks();
    }

    private void batch(int range) {
        frame += FRAME;
        for (int i = 0; i < BATCH; i++) {
            blocks[i] = random.nextInt(range);
            index.admitWrite(0, blocks[i], 1, location(i), frame + i);
        }
        for (int i = 0; i < BATCH; i++) {
            index.durableWrite(0, blocks[i], 1, location(i), frame + i, frame);
        }
    }

    /** Rounds of 1,024 blocks until there are as many dirty blocks as in the beginning. */
    private void drain() {
        while (index.blocks() >= dirtyBlocks + 1024 && index.startRound(1024)) {
            index.roundDone();
        }
    }

    private long location(int block) {
        return LogLocation.of(frame + (block + 1) * 4096L, frame);
    }
}
