// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
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
        MeterRegistry registry = new SimpleMeterRegistry();
        try (TestEngine engine = TestEngine.start(root, "a");
                EngineMeters meters = EngineMeters.bind(registry, engine.observed())) {
            engine.create("r");
            Set<String> documented = documented();
            // The meters of a replica are registered one by one.
            await().untilAsserted(() ->
                    assertThat(names(SCRAPED, scrape(registry))).isEqualTo(documented));
            assertThat(scrape(registry)).contains("mars_epoch_term{resource=r,} 1.0");
            assertThat(meters).isNotNull();
        }
    }

    @Test
    void metersComeAndGoWithTheReplica() throws Exception {
        MeterRegistry registry = new SimpleMeterRegistry();
        try (TestEngine engine = TestEngine.start(root, "a");
                EngineMeters meters = EngineMeters.bind(registry, engine.observed())) {
            engine.create("r");
            try (ExportClient client = engine.open("r/data")) {
                assertThat(client.write(0, new byte[8192])).isZero();
                await().untilAsserted(() ->
                        assertThat(scrape(registry))
                                .contains("mars_nbd_connections 1.0")
                                .contains("state=Serving,} 1.0")
                                .contains(
                                        "mars_requests_seconds_count{"
                                                + "resource=r,"
                                                + "stage=write,} 1.0")
                                .containsPattern("stage=log,} [1-9]")
                                .containsPattern("stage=write-back,} [1-9]"));
                assertThat(meters).isNotNull();
            }
            await().ignoreExceptions()
                    .until(() ->
                            engine.control()
                                    .deleteReplica(
                                            DeleteReplicaRequest.newBuilder().setName("r").build())
                                    .getExisted());

            await().untilAsserted(() ->
                    assertThat(scrape(registry))
                            .doesNotContain("resource=r")
                            .contains("mars_resources 0.0"));
        }
    }

    /** What Prometheus makes of the meters: their names, labels and values, one in a line. */
    private static String scrape(MeterRegistry registry) {
        StringBuilder text = new StringBuilder();
        for (Meter meter : registry.getMeters()) {
            StringBuilder labels = new StringBuilder();
            meter.getId()
                    .getTags()
                    .forEach(tag ->
                            labels.append(tag.getKey())
                                    .append('=')
                                    .append(tag.getValue())
                                    .append(','));
            String name = meter.getId().getName().replace('.', '_');
            meter.measure()
                    .forEach(value ->
                            text.append(name)
                                    .append(
                                            switch (value.getStatistic()) {
                                                case COUNT ->
                                                        meter.getId().getType() == Meter.Type.TIMER
                                                                ? "_seconds_count"
                                                                : "_total";
                                                case TOTAL_TIME -> "_seconds_sum";
                                                default -> "";
                                            })
                                    .append(labels.isEmpty() ? "" : "{" + labels + "}")
                                    .append(' ')
                                    .append(value.getValue())
                                    .append('\n'));
        }
        return text.toString();
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
