// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import storage.mars.engine.port.BlockFile;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Storage.Kind;

/** The log path allocates nothing once it is warm, neither on the shard nor on the log thread. */
class LogPathAllocationTest {

    private static final int WARM_UP = 3_000;
    private static final int MEASURED = 1_000;

    @TempDir Path root;

    @Test
    void warmLogWritesAllocateNothing() throws Exception {
        try (StorageFixture fixture = StorageFixture.open(root)) {
            BlockFile log = fixture.caller().create("log", Kind.LOG, 1 << 20);
            Rounds rounds = new Rounds(log);
            fixture.shard().execute(rounds::next);

            rounds.ended.orTimeout(60, TimeUnit.SECONDS).join();

            // A few bytes may come from compilation or a queue's next chunk, never one per write.
            assertThat(rounds.allocated).isLessThan(8L * MEASURED);
        }
    }

    private static final class Rounds implements Completion {

        private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        private final CompletableFuture<Boolean> ended = new CompletableFuture<>();
        private final ByteBuffer[] buffers = {
            StorageContract.aligned(4096), StorageContract.aligned(8192)
        };
        private final long[] ids;
        private final BlockFile log;
        private int round;
        private long allocated;

        Rounds(BlockFile log) {
            this.log = log;
            this.ids =
                    Thread.getAllStackTraces().keySet().stream()
                            .filter(thread -> thread.getName().matches("mars-(log|shard)-.*"))
                            .mapToLong(Thread::threadId)
                            .toArray();
        }

        void next() {
            buffers[0].rewind();
            buffers[1].rewind();
            log.writeDurably(4096L * (round % 100), buffers, 2, this);
        }

        @Override
        public void completed(@Nullable IoFailure failure) {
            round++;
            if (round == WARM_UP) {
                allocated = -sum();
            }
            if (failure != null || round == WARM_UP + MEASURED) {
                allocated += sum();
                ended.complete(failure == null);
            } else {
                next();
            }
        }

        private long sum() {
            long sum = 0;
            for (long id : ids) {
                sum += threads.getThreadAllocatedBytes(id);
            }
            return sum;
        }
    }
}
