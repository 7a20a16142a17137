// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.observe;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.prometheus.client.CollectorRegistry;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import storage.mars.engine.replica.ReplicaStatus;
import storage.mars.engine.replica.ReplicaStatus.Condition;
import storage.mars.engine.replica.ReplicaStatus.Known;
import storage.mars.engine.replica.ReplicaStatus.MemberStatus;

/**
 * All meters of an engine. Those of a replica or member come and go with it; numbers are asked for
 * when somebody scrapes.
 */
public final class EngineMeters implements AutoCloseable {

    /** Changes within this time are followed at once. */
    private static final Duration GATHER = Duration.ofMillis(200);

    private final MeterRegistry registry;
    private final CollectorRegistry collectors;
    private final ObservedEngine engine;
    private final StatusCache cache;
    private final StageHistograms stages;
    private final Map<String, Map<Tags, List<Meter>>> meters = new HashMap<>();
    private final Set<String> due = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean following = new AtomicBoolean();
    private Runnable unwatch = () -> {};

    private EngineMeters(
            MeterRegistry registry, CollectorRegistry collectors, ObservedEngine engine) {
        this.registry = registry;
        this.collectors = collectors;
        this.engine = engine;
        this.cache = new StatusCache(engine.replicas());
        this.stages = new StageHistograms(cache);
    }

    /**
     * Puts the meters of {@code engine} into {@code registry}, and the histograms into {@code
     * collectors}, and keeps them up to date.
     */
    public static EngineMeters bind(
            MeterRegistry registry, CollectorRegistry collectors, ObservedEngine engine) {
        EngineMeters all = new EngineMeters(registry, collectors, engine);
        all.bindEngine();
        all.unwatch = engine.replicas().watch(all::changed);
        List<ReplicaStatus> present = engine.replicas().statuses().join();
        all.follow(present.stream().map(ReplicaStatus::name).toList(), present);
        return all;
    }

    private void bindEngine() {
        collectors.register(stages);
        Gauge.builder("mars.resources", () -> cache.current().replicas().size())
                .description("Replicas on this engine")
                .register(registry);
        Gauge.builder("mars.nbd.connections", () -> engine.nbdConnections().getAsInt())
                .description("Open NBD connections")
                .register(registry);
        Gauge.builder("mars.log.memory.used.bytes", () -> cache.current().memory().takenBytes())
                .description("Memory in use by the logs of all resources")
                .register(registry);
        Gauge.builder("mars.log.memory.limit.bytes", () -> cache.current().memory().limitBytes())
                .description("Memory that the logs of all resources may use")
                .register(registry);
        FunctionCounter.builder(
                        "mars.shard.allocated.bytes",
                        engine,
                        running -> running.shardAllocatedBytes().getAsLong())
                .description("Heap bytes allocated by the threads of the shards")
                .register(registry);
    }

    /** On a shard: never waits there. */
    private void changed(String name) {
        due.add(name);
        if (following.compareAndSet(false, true)) {
            Thread.startVirtualThread(this::followSoon);
        }
    }

    private void followSoon() {
        try {
            Thread.sleep(GATHER);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        following.set(false);
        Set<String> names = Set.copyOf(due);
        due.removeAll(names);
        engine.replicas().statuses(names).thenAccept(found -> follow(names, found)).join();
    }

    /** Adds the meters of what has come and removes those of what has gone. */
    private synchronized void follow(Collection<String> names, List<ReplicaStatus> found) {
        Map<String, Map<Tags, Meters>> wanted = new HashMap<>();
        found.forEach(status -> wanted.put(status.name(), wanted(status)));
        for (String name : names) {
            Map<Tags, Meters> now = wanted.getOrDefault(name, Map.of());
            Map<Tags, List<Meter>> had = meters.computeIfAbsent(name, n -> new HashMap<>());
            for (Tags gone : List.copyOf(had.keySet())) {
                if (!now.containsKey(gone)) {
                    had.getOrDefault(gone, List.of()).forEach(registry::remove);
                    had.remove(gone);
                }
            }
            now.forEach((tags, some) -> had.computeIfAbsent(tags, some::register));
            if (had.isEmpty()) {
                meters.remove(name);
            }
        }
    }

    /** Registers meters with given tags. */
    @FunctionalInterface
    private interface Meters {

        List<Meter> register(Tags tags);
    }

    private Map<Tags, Meters> wanted(ReplicaStatus status) {
        String name = status.name();
        Tags replica = Tags.of("resource", name);
        Known known = status.known();
        String role = known == null ? "unknown" : known.primary() ? "primary" : "secondary";
        Map<Tags, Meters> wanted = new HashMap<>();
        wanted.put(
                replica.and("role", role, "state", status.state()),
                tags -> metersOf(name).registerState(tags));
        for (Condition condition : status.conditions()) {
            wanted.put(
                    replica.and("type", condition.type()),
                    tags -> metersOf(name).registerCondition(tags, condition.type()));
        }
        if (known != null) {
            wanted.put(replica, tags -> metersOf(name).register(tags));
            for (MemberStatus member : known.members()) {
                wanted.put(
                        replica.and("member", member.name()),
                        tags -> metersOf(name).registerMember(tags, member.id()));
            }
        }
        return wanted;
    }

    private ReplicaMeters metersOf(String name) {
        return new ReplicaMeters(registry, cache, name);
    }

    @Override
    public void close() {
        unwatch.run();
        collectors.unregister(stages);
    }
}
