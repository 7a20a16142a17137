// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.netty.util.ResourceLeakDetector;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The hot path makes no garbage: one object per request would be 16 bytes at least. */
@Timeout(60)
class AllocationIT {

    private static final int DEPTH = 32;
    private static final int ROUNDS = 1500;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @Test
    void steadyStateAllocatesNothingPerRequest() throws IOException {
        try (NbdFixture fixture = new NbdFixture();
                RawClient client = fixture.connectUnix().hello().go(NbdFixture.DISK)) {
            ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.DISABLED);
            long shard = fixture.disk.threadId();

            assertThat(bytesPerRequest(shard, client, batch(Nbd.CMD_WRITE), 16))
                    .as("bytes per WRITE")
                    .isLessThan(16);
            assertThat(bytesPerRequest(shard, client, batch(Nbd.CMD_READ), 16 + 4096))
                    .as("bytes per READ")
                    .isLessThan(16);
        } finally {
            ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
        }
    }

    private double bytesPerRequest(long thread, RawClient client, byte[] batch, int answer) {
        ByteBuffer answers = ByteBuffer.allocate(DEPTH * answer);
        rounds(client, batch, answers);
        long before = threads.getThreadAllocatedBytes(thread);
        rounds(client, batch, answers);
        long after = threads.getThreadAllocatedBytes(thread);
        return (after - before) / (double) (DEPTH * ROUNDS);
    }

    private static void rounds(RawClient client, byte[] batch, ByteBuffer answers) {
        for (int i = 0; i < ROUNDS; i++) {
            client.send(batch).receive(answers.clear());
        }
    }

    private static byte[] batch(int type) {
        byte[] batch = new byte[0];
        for (int i = 0; i < DEPTH; i++) {
            byte[] request = Wire.request(type, 0, i, i * 4096L, 4096);
            batch = Wire.join(batch, request, new byte[type == Nbd.CMD_WRITE ? 4096 : 0]);
        }
        return batch;
    }
}
