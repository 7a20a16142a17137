// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.prometheus.PrometheusConfig;
import io.micrometer.prometheus.PrometheusMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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

    @TempDir Path root;

    @Test
    void everyMetricIsDocumentedAndEveryDocumentedOneExists() throws Exception {
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        try (TestEngine engine = TestEngine.start(root, "a");
                EngineMeters meters = EngineMeters.bind(registry, engine.observed())) {
            engine.create("r");
            await().until(() -> registry.scrape().contains("mars_epoch_term{resource=\"r\",} 1.0"));

            assertThat(names(SCRAPED, registry.scrape())).isEqualTo(documented());
            assertThat(meters).isNotNull();
        }
    }

    @Test
    void metersComeAndGoWithTheReplica() throws Exception {
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        try (TestEngine engine = TestEngine.start(root, "a");
                EngineMeters meters = EngineMeters.bind(registry, engine.observed())) {
            engine.create("r");
            try (ExportClient client = engine.open("r/data")) {
                assertThat(client.write(0, new byte[8192])).isZero();
                await().untilAsserted(() ->
                        assertThat(registry.scrape())
                                .contains("mars_nbd_connections 1.0")
                                .contains("state=\"Serving\",} 1.0")
                                .contains(
                                        "mars_requests_seconds_count{"
                                                + "resource=\"r\","
                                                + "stage=\"write\",} 1.0"));
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

    private static Set<String> documented() throws IOException {
        String text = Files.readString(DOCUMENT);
        String table = text.substring(text.indexOf("| metric |"), text.indexOf("Worth an alarm"));
        return names(DOCUMENTED, table);
    }

    private static Set<String> names(Pattern pattern, String text) {
        Set<String> names = new TreeSet<>();
        pattern.matcher(text).results().forEach(result -> names.add(result.group(1)));
        return names;
    }
}
