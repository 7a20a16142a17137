// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.prometheus.PrometheusConfig;
import io.micrometer.prometheus.PrometheusMeterRegistry;
import io.prometheus.client.CollectorRegistry;
import io.prometheus.client.exporter.common.TextFormat;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import storage.mars.engine.api.v1.DeleteReplicaRequest;
import storage.mars.engine.server.observe.EngineMeters;

/** What a scrape of a real engine yields, against what docs/operations.md promises. */
@Timeout(60)
class MetricsIT {

    private static final Path DOCUMENT = Path.of("../../docs/operations.md");
    private static final Pattern DOCUMENTED = Pattern.compile("`(mars_[a-z_]+)`");
    private static final Pattern SCRAPED = Pattern.compile("(?m)^(mars_[a-z_]+?)(?=[ {])");

    private static final Pattern CODE = Pattern.compile("`([A-Z][A-Za-z]+)`");
    private static final Pattern CONDITION = Pattern.compile("type=\"([A-Za-z]+)\"");

    @TempDir Path root;

    @Test
    void everyMetricIsDocumentedAndEveryDocumentedOneExists() throws Exception {
        Prometheus registry = new Prometheus();
        try (TestEngine engine = TestEngine.start(root, "a");
                EngineMeters meters = registry.of(engine)) {
            engine.create("r");
            Set<String> documented = documented();
            // The meters of a replica are registered one by one.
            await().untilAsserted(() ->
                    assertThat(names(SCRAPED, registry.scrape())).isEqualTo(documented));
            assertThat(names(CODE, conditions()))
                    .containsAll(names(CONDITION, registry.scrape()))
                    .contains("Ready", "LogBudget");
            assertThat(registry.scrape()).contains("mars_epoch_term{resource=\"r\",} 1.0");
            assertThat(meters).isNotNull();
        }
    }

    @Test
    void metersComeAndGoWithTheReplica() throws Exception {
        Prometheus registry = new Prometheus();
        try (TestEngine engine = TestEngine.start(root, "a");
                EngineMeters meters = registry.of(engine)) {
            engine.create("r");
            try (ExportClient client = engine.open("r/data")) {
                assertThat(client.write(0, new byte[8192])).isZero();
                await().untilAsserted(() ->
                        assertThat(registry.scrape())
                                .contains("mars_nbd_connections 1.0")
                                .contains("state=\"Serving\",} 1.0")
                                .contains(
                                        "mars_requests_seconds_count{"
                                                + "resource=\"r\",stage=\"write\",} 1.0")
                                .contains("stage=\"write\",le=\"+Inf\",} 1.0")
                                .containsPattern("count.*stage=\"log\",} [1-9]")
                                .containsPattern("count.*stage=\"write-back\",} [1-9]"));
                assertThat(meters).isNotNull();
            }
            await().ignoreExceptions()
                    .until(() ->
                            engine.control()
                                    .deleteReplica(
                                            DeleteReplicaRequest.newBuilder().setName("r").build())
                                    .getExisted());

            await().untilAsserted(() ->
                    assertThat(registry.scrape())
                            .doesNotContain("resource=\"r\"")
                            .contains("mars_resources 0.0"));
        }
    }

    @Test
    void whatClientsDoIsCounted() throws Exception {
        Prometheus registry = new Prometheus();
        try (TestEngine engine = TestEngine.start(root, "a");
                EngineMeters meters = registry.of(engine)) {
            engine.create("r");
            try (ExportClient client = engine.open("r/data")) {
                assertThat(client.write(0, new byte[8192])).isZero();
                assertThat(client.write(8192, new byte[4096])).isZero();
                assertThat(client.read(0, 4096)).hasSize(4096);
                assertThat(client.flush()).isZero();
                assertThat(client.write(1L << 40, new byte[4096])).isNotZero();
            }

            await().untilAsserted(() ->
                    assertThat(registry.scrape())
                            .contains("mars_client_written_bytes_total{resource=\"r\",} 12288.0")
                            .contains("mars_client_read_bytes_total{resource=\"r\",} 4096.0")
                            .contains("requests_total{op=\"write\",resource=\"r\",} 2.0")
                            .contains("requests_total{op=\"read\",resource=\"r\",} 1.0")
                            .contains("requests_total{op=\"flush\",resource=\"r\",} 1.0")
                            .contains("errors_total{kind=\"invalid\",resource=\"r\",} 1.0")
                            .contains("errors_total{kind=\"failed\",resource=\"r\",} 0.0"));
            assertThat(meters).isNotNull();
        }
    }

    @Test
    void bucketsOnlyGrowAndEndWithAll() throws Exception {
        Prometheus registry = new Prometheus();
        try (TestEngine engine = TestEngine.start(root, "a");
                EngineMeters meters = registry.of(engine)) {
            engine.create("r");
            try (ExportClient client = engine.open("r/data")) {
                for (int i = 0; i < 10; i++) {
                    assertThat(client.write(4096L * i, new byte[4096])).isZero();
                }
            }

            await().untilAsserted(() ->
                    assertThat(buckets(registry.scrape(), "write"))
                            .hasSize(22)
                            .isSorted()
                            .endsWith(10.0));
            assertThat(registry.scrape())
                    .contains("# TYPE mars_requests_seconds histogram")
                    .contains("stage=\"write\",le=\"1.6384E-5\",}")
                    .contains("stage=\"write\",le=\"17.179869184\",} 10.0");
            assertThat(meters).isNotNull();
        }
    }

    private static List<Double> buckets(String scrape, String stage) {
        return Pattern.compile("_bucket\\{resource=\"r\",stage=\"" + stage + "\",le=.*} (.*)")
                .matcher(scrape)
                .results()
                .map(result -> Double.valueOf(result.group(1)))
                .toList();
    }

    private static Set<String> documented() throws IOException {
        String text = Files.readString(DOCUMENT);
        String table = text.substring(text.indexOf("| metric |"), text.indexOf("Worth an alarm"));
        return names(DOCUMENTED, table);
    }

    /** Registries as those behind the HTTP port. */
    private static final class Prometheus {

        private final CollectorRegistry collectors = new CollectorRegistry(true);
        private final MeterRegistry meters = meters(collectors);

        /** Quarkus has no other yet. */
        @SuppressWarnings("deprecation")
        private static MeterRegistry meters(CollectorRegistry collectors) {
            return new PrometheusMeterRegistry(PrometheusConfig.DEFAULT, collectors, Clock.SYSTEM);
        }

        EngineMeters of(TestEngine engine) {
            return EngineMeters.bind(meters, collectors, engine.observed());
        }

        String scrape() throws IOException {
            StringWriter text = new StringWriter();
            TextFormat.write004(text, collectors.metricFamilySamples());
            return text.toString();
        }
    }

    private static String conditions() throws IOException {
        String text = Files.readString(DOCUMENT);
        return text.substring(text.indexOf("## Conditions"), text.indexOf("## Data directory"));
    }

    private static Set<String> names(Pattern pattern, String text) {
        Set<String> names = new TreeSet<>();
        pattern.matcher(text).results().forEach(result -> names.add(result.group(1)));
        return names;
    }
}
