// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.bench.log;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
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
import storage.mars.engine.log.FrameVerifier;
import storage.mars.engine.log.FrameView;
import storage.mars.engine.log.LogFormat;

/** What recovery, reception and every read back from a segment cost for a frame of 1 MiB. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class FrameVerifyBench {

    @Param({"4096", "65536"})
    int payload;

    private final FrameVerifier verifier = new FrameVerifier(MemoryLog.RESOURCE, MemoryLog.LAYOUT);
    private final FrameView view = new FrameView();
    private final ByteBuffer frame =
            ByteBuffer.allocateDirect(LogFormat.MAX_FRAME).order(ByteOrder.LITTLE_ENDIAN);
    private long position;

    /** The first full frame of a log: at MAX_FRAME bytes, or at as many records as fit into one. */
    @Setup
    public void build() {
        MemoryLog log = new MemoryLog(64 << 20);
        byte[] bytes = new byte[payload];
        new SplittableRandom(2).nextBytes(bytes);
        ByteBuffer data = ByteBuffer.allocateDirect(payload).put(bytes).flip();
        for (int i = 0; i < 2 * LogFormat.MAX_RECORDS; i++) {
            log.append((long) i * payload, data, payload);
        }
        log.commit();
        position = LogFormat.BLOCK;
        log.tail().copyFrames(position, position + 1, frame);
        check(descriptor());
        check(wholeFrame());
    }

    private static void check(String fault) {
        if (!fault.isEmpty()) {
            throw new IllegalStateException(fault);
        }
    }

    @Benchmark
    public String descriptor() {
        return words(verifier.descriptorFault(view.wrap(frame, 0), position));
    }

    @Benchmark
    public String wholeFrame() {
        String fault = verifier.descriptorFault(view.wrap(frame, 0), position);
        return words(fault != null ? fault : verifier.payloadFault(view));
    }

    private static String words(@Nullable String fault) {
        return fault == null ? "" : fault;
    }
}
