// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.PoolArenaMetric;
import io.netty.buffer.PooledByteBufAllocator;
import java.time.Duration;
import java.util.stream.Stream;

/**
 * Counts the pooled buffers that nobody has given back: none may be left when the loops have ended.
 */
final class ActiveBuffers {

    private final long before = count();

    void expectNoneLeft() {
        await().atMost(Duration.ofSeconds(5))
                .untilAsserted(() -> assertThat(count()).as("buffers leaked").isEqualTo(before));
    }

    private static long count() {
        var metric = PooledByteBufAllocator.DEFAULT.metric();
        return Stream.concat(metric.directArenas().stream(), metric.heapArenas().stream())
                .mapToLong(PoolArenaMetric::numActiveAllocations)
                .sum();
    }
}
