// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import storage.mars.e2e.harness.Command;
import storage.mars.e2e.harness.EngineProcess;
import storage.mars.e2e.harness.EngineSettings;
import storage.mars.e2e.harness.Tools;
import storage.mars.e2e.nbd.NbdConnection;

/** What a monitoring system gets from a real engine over HTTP, against docs/operations.md. */
final class OperationsIT {
    private static final Pattern DOCUMENTED = Pattern.compile("`(mars_[a-z_]+)`");
    private static final Pattern SCRAPED = Pattern.compile("(?m)^(mars_[a-z_]+?)(?=[ {])");
    private static final Pattern TYPED = Pattern.compile("(?m)^# TYPE (mars_[a-z_]+) ([a-z]+)$");
    @TempDir Path directory;

    @Test
    void whatIsScrapedIsWhatIsDocumented() throws Exception {
        try (var engine = EngineProcess.start(EngineSettings.in(directory, "a"))) {
            engine.marsadm().createResource("r", "data:16MiB");
            try (var connection = NbdConnection.open(engine.unix(), "r/data")) {
                connection.write(0, new byte[4096]);
                assertThat(connection.read(0, 4096)).hasSize(4096);
                connection.flush();
                connection.disconnect();
            }

            // The meters of a replica are registered one by one, and values are a moment old.
            await().atMost(Duration.ofSeconds(20))
                    .untilAsserted(() -> {
                        String scrape = engine.http("/q/metrics");
                        assertThat(names(SCRAPED, scrape)).isEqualTo(documented());
                        assertThat(scrape)
                                .containsPattern(
                                        "client_written_bytes_total\\{resource=\"r\",?} 4096")
                                .containsPattern(
                                        "client_read_bytes_total\\{resource=\"r\",?} 4096");
                    });
            String scrape = engine.http("/q/metrics");
            assertThat(types(scrape))
                    .contains("mars_requests_seconds histogram")
                    .anyMatch(type -> type.matches("mars_client_requests(_total)? counter"))
                    .contains("mars_log_used_bytes gauge");
            assertThat(scrape).contains("jvm_memory_used_bytes{");
        }
    }

    /** Each message of 1 MiB would be memory of its own otherwise, zeroed and given back again. */
    @Test
    void messagesOfPeersFitIntoTheAllocatorsChunks() throws Exception {
        try (var engine = EngineProcess.start(EngineSettings.in(directory, "a"))) {
            Path jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd");

            String properties =
                    Command.of(jcmd, engine.pid(), "VM.system_properties").run().succeeded().out();

            assertThat(properties)
                    .containsPattern("(?m)^io.netty.allocator.maxOrder=9$")
                    .containsPattern("(?m)^io.netty.allocator.maxCachedBufferCapacity=2097152$");
        }
    }

    @Test
    void anEngineIsHealthyAlsoWhenOneOfItsResourcesIsNot() throws Exception {
        try (var engine = EngineProcess.start(EngineSettings.in(directory, "a"))) {
            engine.marsadm().createResource("sound", "data:16MiB");
            Set<Path> others = images(engine);
            engine.marsadm().createResource("broken", "data:16MiB");
            assertThat(healthy(engine)).doesNotContain("broken");
            assertThat(engine.stop()).isZero();
            for (Path image : images(engine)) {
                if (!others.contains(image)) {
                    Files.delete(image);
                }
            }

            engine.start();

            assertThat(engine.marsadm().status("broken").state()).isEqualTo("Corrupt");
            assertThat(healthy(engine))
                    .containsPattern("\"broken\" *: *\"Corrupt\"")
                    .doesNotContain("sound");
            await().atMost(Duration.ofSeconds(20))
                    .untilAsserted(() ->
                            assertThat(engine.http("/q/metrics"))
                                    .containsPattern(condition("broken", "0.0"))
                                    .containsPattern(condition("sound", "1.0")));
        }
    }

    private static String condition(String resource, String value) {
        return "mars_replica_condition\\{resource=\"" + resource + "\",type=\"Ready\",?} " + value;
    }

    /** What readiness says, of an engine that is up by all accounts. */
    private static String healthy(EngineProcess engine) throws Exception {
        for (String path : List.of("/q/health", "/q/health/live", "/q/health/ready")) {
            String answer = engine.http(path);
            assertThat(answer).as(path).contains("\"UP\"").doesNotContain("DOWN");
        }
        return engine.http("/q/health/ready");
    }

    private static Set<Path> images(EngineProcess engine) throws IOException {
        try (var files = Files.walk(engine.settings().dataDir())) {
            return new TreeSet<>(files.filter(file -> file.toString().endsWith(".img")).toList());
        }
    }

    private static Set<String> documented() throws IOException {
        String text = Files.readString(Tools.projectRoot().resolve("docs/operations.md"));
        String table = text.substring(text.indexOf("| metric |"), text.indexOf("Worth an alarm"));
        return names(DOCUMENTED, table);
    }

    private static Set<String> names(Pattern pattern, String text) {
        var names = new TreeSet<String>();
        pattern.matcher(text).results().forEach(result -> names.add(result.group(1)));
        return names;
    }

    private static List<String> types(String scrape) {
        return TYPED.matcher(scrape)
                .results()
                .map(result -> result.group(1) + " " + result.group(2))
                .toList();
    }
}
