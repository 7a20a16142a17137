// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.bench.replication;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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
import storage.mars.engine.log.FieldReader.Malformed;
import storage.mars.engine.replication.PeerCodec;
import storage.mars.engine.replication.PeerMessage;
import storage.mars.engine.replication.PeerMessage.LogData;

/** What shipping costs for a LOG message on either side, its frames and the socket apart. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class LogMessageBench {

    @Param({"8192", "1048576"})
    int frames;

    private final PeerCodec codec = new PeerCodec();
    private LogData message = new LogData(0, ByteBuffer.allocate(0));
    private ByteBuffer encoded = ByteBuffer.allocate(0);

    @Setup
    public void encodeOnce() {
        message = new LogData(1L << 40, ByteBuffer.allocateDirect(frames));
        ByteBuffer out = codec.encode(message);
        encoded = ByteBuffer.allocateDirect(out.remaining()).order(ByteOrder.LITTLE_ENDIAN);
        encoded.put(out).flip();
    }

    @Benchmark
    public ByteBuffer encode() {
        return codec.encode(message);
    }

    @Benchmark
    public PeerMessage decode() throws Malformed {
        return codec.decode(encoded);
    }
}
