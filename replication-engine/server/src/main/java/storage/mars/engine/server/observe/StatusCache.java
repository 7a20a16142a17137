// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.observe;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.replica.ReplicaStatus;
import storage.mars.engine.server.host.Replicas;
import storage.mars.engine.server.host.Replicas.LogMemoryUse;

/**
 * What the shards said last, asked again when it is older than a scrape may see. Callable from any
 * thread but the shards.
 */
final class StatusCache {

    private static final long FRESH_NANOS = 500_000_000L;
    private static final long PATIENCE_SECONDS = 2;

    private final Replicas replicas;
    private Seen seen = new Seen(Map.of(), new LogMemoryUse(0, 0));
    private long seenNanos = System.nanoTime() - 2 * FRESH_NANOS;

    /** Statuses by name, and the memory of all logs. */
    record Seen(Map<String, ReplicaStatus> replicas, LogMemoryUse memory) {}

    StatusCache(Replicas replicas) {
        this.replicas = replicas;
    }

    /** What is known now, or was last when a shard does not answer. */
    synchronized Seen current() {
        if (System.nanoTime() - seenNanos > FRESH_NANOS) {
            refresh();
        }
        return seen;
    }

    private void refresh() {
        try {
            CompletableFuture<Seen> asked =
                    replicas.statuses().thenCombine(replicas.logMemory(), StatusCache::seen);
            seen = asked.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            // Liveness says that a shard does not answer; metrics stay what they were.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        seenNanos = System.nanoTime();
    }

    private static Seen seen(List<ReplicaStatus> all, LogMemoryUse memory) {
        Map<String, ReplicaStatus> byName = new LinkedHashMap<>();
        all.forEach(status -> byName.put(status.name(), status));
        return new Seen(Map.copyOf(byName), memory);
    }

    @Nullable ReplicaStatus status(String name) {
        return current().replicas().get(name);
    }
}
