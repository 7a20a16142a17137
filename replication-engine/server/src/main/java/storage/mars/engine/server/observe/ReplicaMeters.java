// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.observe;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleSupplier;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.export.BlockRequest.Op;
import storage.mars.engine.export.Traffic;
import storage.mars.engine.log.Histogram;
import storage.mars.engine.replica.ReplicaStatus;
import storage.mars.engine.replica.ReplicaStatus.Known;
import storage.mars.engine.replica.ReplicaStatus.MemberStatus;
import storage.mars.engine.replica.StageLatencies;

/**
 * The meters of one replica, or of one member as that replica knows it. The registry holds the
 * object of a total or timer weakly, so that object is the cache, which lives as long as the
 * engine.
 */
final class ReplicaMeters {

    private static final ReplicaMetric<Long> REQUESTS =
            ReplicaMetric.total(
                    "mars.client.requests", "Requests of clients that were answered", n -> n);

    private static final ReplicaMetric<Long> ERRORS =
            ReplicaMetric.total(
                    "mars.client.errors", "Requests of clients that got an error", n -> n);

    private static final List<Double> QUANTILES = List.of(0.5, 0.9, 0.99, 0.999);

    private final MeterRegistry registry;
    private final StatusCache cache;
    private final String name;
    private final List<Meter> registered = new ArrayList<>();

    ReplicaMeters(MeterRegistry registry, StatusCache cache, String name) {
        this.registry = registry;
        this.cache = cache;
        this.name = name;
    }

    List<Meter> register(Tags tags) {
        ReplicaMetric.REPLICA.forEach(metric -> register(metric, tags, this::known));
        for (Op op : Op.values()) {
            String asked = op.name().toLowerCase(Locale.ROOT).replace('_', '-');
            register(REQUESTS, tags.and("op", asked), () -> requests(op));
        }
        register(ERRORS, tags.and("kind", "invalid"), () -> traffic(Traffic::invalid));
        register(ERRORS, tags.and("kind", "failed"), () -> traffic(Traffic::failed));
        StageHistograms.STAGES.forEach((stage, of) -> registerStage(tags.and("stage", stage), of));
        return List.copyOf(registered);
    }

    List<Meter> registerMember(Tags tags, long id) {
        ReplicaMetric.MEMBER.forEach(metric -> register(metric, tags, () -> member(id)));
        return List.copyOf(registered);
    }

    List<Meter> registerState(Tags tags) {
        return List.of(
                Gauge.builder("mars.replica.state", () -> 1)
                        .tags(tags)
                        .description("1 for the role and state that the replica has")
                        .register(registry));
    }

    List<Meter> registerCondition(Tags tags, String type) {
        return List.of(
                Gauge.builder("mars.replica.condition", () -> isAsWanted(type) ? 1 : 0)
                        .tags(tags)
                        .description("1 when the condition is as wanted")
                        .register(registry));
    }

    private boolean isAsWanted(String type) {
        ReplicaStatus status = cache.status(name);
        return status == null
                || status.conditions().stream()
                        .allMatch(condition -> condition.ok() || !condition.type().equals(type));
    }

    /** Where a value comes from; null while there is none. */
    @FunctionalInterface
    private interface Source<T> {

        @Nullable T get();
    }

    private <T> void register(ReplicaMetric<T> metric, Tags tags, Source<T> source) {
        DoubleSupplier value =
                () -> {
                    T present = source.get();
                    return present == null ? Double.NaN : metric.value().applyAsDouble(present);
                };
        registered.add(
                metric.total()
                        ? FunctionCounter.builder(metric.key(), cache, held -> count(value))
                                .tags(tags)
                                .description(metric.help())
                                .register(registry)
                        : Gauge.builder(metric.key(), value::getAsDouble)
                                .tags(tags)
                                .description(metric.help())
                                .register(registry));
    }

    /** A total is never NaN. */
    private static double count(DoubleSupplier value) {
        double count = value.getAsDouble();
        return Double.isNaN(count) ? 0 : count;
    }

    private void registerStage(Tags tags, Function<StageLatencies, Histogram> of) {
        Source<Histogram> source =
                () -> {
                    Known known = known();
                    StageLatencies latencies = known == null ? null : known.counters().latencies();
                    return latencies == null ? null : of.apply(latencies);
                };
        for (double share : QUANTILES) {
            registered.add(
                    Gauge.builder(
                                    "mars.requests.quantile.seconds",
                                    () -> quantile(source.get(), share))
                            .tags(tags.and("quantile", Double.toString(share)))
                            .description("Time that this share of them took at most")
                            .register(registry));
        }
    }

    private static double quantile(@Nullable Histogram histogram, double share) {
        return histogram == null ? 0 : histogram.quantileNanos(share) / 1e9;
    }

    private @Nullable Long requests(Op op) {
        return traffic(traffic -> traffic.requests(op));
    }

    private @Nullable Long traffic(ToLongFunction<Traffic> part) {
        Known known = known();
        Traffic traffic = known == null ? null : known.counters().traffic();
        return traffic == null ? null : part.applyAsLong(traffic);
    }

    private @Nullable Known known() {
        ReplicaStatus status = cache.status(name);
        return status == null ? null : status.known();
    }

    private @Nullable MemberStatus member(long id) {
        Known known = known();
        if (known == null) {
            return null;
        }
        return known.members().stream()
                .filter(member -> member.id() == id)
                .findFirst()
                .orElse(null);
    }
}
