// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.bench.log;

import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import storage.mars.engine.log.Checksum;

/** What a write costs on its way into the log, the device apart: copy, CRC32C, seal, batch. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class FrameEncodeBench {

    private static final long VOLUME = 1L << 40;

    @Param({"4096", "65536"})
    int payload;

    private final MemoryLog log = new MemoryLog(96 << 20);
    private final Checksum checksum = new Checksum();
    private ByteBuffer data = ByteBuffer.allocateDirect(0);
    private long offset;

    @Setup
    public void fill() {
        byte[] bytes = new byte[payload];
        new SplittableRandom(1).nextBytes(bytes);
        data = ByteBuffer.allocateDirect(payload).put(bytes).flip();
    }

    /** The part that no design can leave out. */
    @Benchmark
    public int crcOfOnePayload() {
        return checksum.of(data, 0, payload);
    }

    /** A frame for each record: depth 1. */
    @Benchmark
    public long frameOfOneRecord() {
        append();
        log.commit();
        return log.tail().durable();
    }

    /** 32 records in a batch, as at depth 32; time is that of all of them. */
    @Benchmark
    public long batchOf32Records() {
        for (int i = 0; i < 32; i++) {
            append();
        }
        log.commit();
        return log.tail().durable();
    }

    private void append() {
        offset = (offset + payload) % VOLUME;
        log.append(offset, data, payload);
    }
}
