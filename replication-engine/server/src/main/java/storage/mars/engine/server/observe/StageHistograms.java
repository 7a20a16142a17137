// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.observe;

import io.prometheus.client.Collector;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.Histogram;
import storage.mars.engine.replica.ReplicaStatus;
import storage.mars.engine.replica.ReplicaStatus.Known;
import storage.mars.engine.replica.StageLatencies;

/**
 * The time that each stage takes as Prometheus histograms, by resource and stage. Their buckets are
 * the same for all and ever, so that they can be added up; a stage that nothing has passed has
 * none. Callable from any thread but the shards.
 */
final class StageHistograms extends Collector {

    /** By name. */
    static final Map<String, Function<StageLatencies, Histogram>> STAGES =
            new TreeMap<>(
                    Map.of(
                            "read", latencies -> latencies.requests().read,
                            "admit", latencies -> latencies.requests().admit,
                            "write", latencies -> latencies.requests().write,
                            "log", StageLatencies::log,
                            "write-back", StageLatencies::writeBack));

    private static final String NAME = "mars_requests_seconds";
    private static final String HELP = "How often each stage was passed, and the time that took";
    private static final List<String> LABELS = List.of("resource", "stage");
    private static final List<String> BUCKET_LABELS = List.of("resource", "stage", "le");

    /** Powers of two, in nanoseconds: 16 µs. */
    private static final int FIRST_POWER = 14;

    /** 17 s. */
    private static final int LAST_POWER = 34;

    private final StatusCache cache;

    StageHistograms(StatusCache cache) {
        this.cache = cache;
    }

    @Override
    public List<MetricFamilySamples> collect() {
        List<MetricFamilySamples.Sample> samples = new ArrayList<>();
        for (ReplicaStatus status : cache.current().replicas().values()) {
            StageLatencies latencies = latencies(status);
            if (latencies != null) {
                STAGES.forEach(
                        (stage, of) -> add(samples, status.name(), stage, of.apply(latencies)));
            }
        }
        return List.of(new MetricFamilySamples(NAME, Type.HISTOGRAM, HELP, samples));
    }

    private static @Nullable StageLatencies latencies(ReplicaStatus status) {
        Known known = status.known();
        return known == null ? null : known.counters().latencies();
    }

    /** Counts are read while the shard adds to them: each from shorter to longer only grows. */
    private static void add(
            List<MetricFamilySamples.Sample> samples,
            String resource,
            String stage,
            Histogram histogram) {
        if (histogram.count() == 0) {
            return;
        }
        double sum = histogram.sumNanos() / 1e9;
        for (int power = FIRST_POWER; power <= LAST_POWER; power++) {
            samples.add(bucket(resource, stage, (1L << power) / 1e9, histogram.countBelow(power)));
        }
        long all = histogram.countBelow(Long.SIZE - 1);
        samples.add(bucket(resource, stage, Double.POSITIVE_INFINITY, all));
        List<String> labels = List.of(resource, stage);
        samples.add(new MetricFamilySamples.Sample(NAME + "_count", LABELS, labels, all));
        samples.add(new MetricFamilySamples.Sample(NAME + "_sum", LABELS, labels, sum));
    }

    private static MetricFamilySamples.Sample bucket(
            String resource, String stage, double below, long count) {
        return new MetricFamilySamples.Sample(
                NAME + "_bucket",
                BUCKET_LABELS,
                List.of(resource, stage, doubleToGoString(below)),
                count);
    }
}
