// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import storage.mars.e2e.harness.EngineProcess;
import storage.mars.e2e.harness.ResourceStatus;
import storage.mars.e2e.harness.TwoEngines;
import storage.mars.e2e.load.ContentSnapshot;
import storage.mars.e2e.load.HistoryVerifier;
import storage.mars.e2e.load.LoadClient;
import storage.mars.e2e.load.LoadSettings;
import storage.mars.e2e.load.LoggedContent;
import storage.mars.e2e.load.PositionSample;
import storage.mars.e2e.nbd.NbdConnection;

/**
 * The primary dies, the secondary takes over with exactly what it had received, the other returns.
 */
final class ForcedFailoverIT {
    private static final int ROUNDS = Integer.getInteger("mars.e2e.failovers", 20);
    private static final int SIZE = 16 << 20;
    private static final int SAMPLES = 3;
    @TempDir Path directory;

    @Test
    @Timeout(value = 15, unit = TimeUnit.MINUTES)
    void promotedSecondaryHoldsThePrimaryAtItsReceivedPosition() throws Exception {
        try (var engines = TwoEngines.start(directory)) {
            engines.replicate("r", "16MiB");
            EngineProcess primary = engines.a();
            EngineProcess secondary = engines.b();
            for (int round = 0; round < ROUNDS; round++) {
                boolean cut = round % 4 < 2;
                long term = failOver(round, cut, engines, primary, secondary);
                oldPrimaryIsFenced(primary, secondary, term, cut);
                primary.marsadm().run("leave-resource", "r").succeeded();
                engines.join("r", primary, secondary);
                EngineProcess promoted = secondary;
                secondary = primary;
                primary = promoted;
            }
        }
    }

    /** Returns the new term; with the links cut before, the old primary has more for certain. */
    private long failOver(
            int round,
            boolean cut,
            TwoEngines engines,
            EngineProcess primary,
            EngineProcess secondary)
            throws IOException, InterruptedException {
        empty(primary);
        var samples = new ArrayList<PositionSample>();
        try (var load = LoadClient.start(settings(round, primary), round)) {
            for (int i = 0; i < SAMPLES; i++) {
                load.awaitProgress(200);
                samples.add(sample(load, primary));
            }
            if (cut) {
                engines.cutLinks();
            }
            load.awaitProgress(50);
            primary.kill();
            load.abandon();
            engines.healLinks();
            ResourceStatus orphan = secondary.marsadm().status("r");
            secondary.marsadm().forcePrimary("r", orphan.term());

            ResourceStatus promoted = secondary.marsadm().status("r");
            long received = promoted.epochStart();
            assertThat(promoted.term()).isGreaterThan(orphan.term());
            assertThat(received).isGreaterThanOrEqualTo(orphan.received());

            ContentSnapshot content = load.contentOn(secondary.unix());
            var verifier = new HistoryVerifier(load.history());
            assertThat(verifier.isThePrefixAt(received, samples, content))
                    .as("round %d, received position %d", round, received)
                    .isEmpty();
            LoggedContent logged = LoggedContent.read(logOf(primary), load.history(), received);
            assertThat(logged.reachesThePosition()).isTrue();
            assertThat(logged.known()).isEqualTo(SIZE / 4096);
            assertThat(logged.differences(content)).as("round %d", round).isEmpty();
            return promoted.term();
        }
    }

    private static Path logOf(EngineProcess engine) {
        return engine.settings().dataDir().resolve("resources/r/log");
    }

    /** In every other round one writer with depth 1, for which the prefix is exact to the write. */
    private LoadSettings settings(int round, EngineProcess primary) {
        var settings =
                LoadSettings.of(primary.unix(), "r/data", directory.resolve("journal" + round))
                        .withBlocks(SIZE / 4096);
        return round % 2 == 0 ? settings.sequential() : settings;
    }

    private static void empty(EngineProcess primary) throws IOException {
        try (var connection = NbdConnection.open(primary.unix(), "r/data")) {
            connection.writeZeroes(0, SIZE);
            connection.disconnect();
        }
    }

    private static PositionSample sample(LoadClient load, EngineProcess primary) {
        long before = load.history().tick();
        long durable = primary.marsadm().status("r").durable();
        return new PositionSample(before, durable, load.history().tick());
    }

    private static void oldPrimaryIsFenced(
            EngineProcess old, EngineProcess winner, long term, boolean forked) throws IOException {
        old.start();
        await().atMost(Duration.ofSeconds(30))
                .pollInterval(Duration.ofMillis(200))
                .untilAsserted(() -> {
                    ResourceStatus status = old.marsadm().status("r");
                    assertThat(status.isSecondary()).isTrue();
                    assertThat(status.term()).isEqualTo(term);
                    if (forked || status.state().equals("Diverged")) {
                        saysThatItIsFenced(status, winner);
                    } else {
                        assertThat(status.state()).isEqualTo("Secondary");
                        assertThat(status.epochTerm()).isEqualTo(term);
                    }
                });
    }

    private static void saysThatItIsFenced(ResourceStatus status, EngineProcess winner) {
        assertThat(status.state()).isEqualTo("Diverged");
        assertThat(status.conditions())
                .anySatisfy(condition -> {
                    assertThat(condition.get("type").asText()).isEqualTo("HistoryLinear");
                    assertThat(condition.get("status").asText()).isEqualTo("False");
                    assertThat(condition.get("message").asText())
                            .startsWith(
                                    "fenced: "
                                            + winner.settings().name()
                                            + " is primary in term "
                                            + status.term());
                    assertThat(condition.get("nextCommand").asText("")).contains("leave-resource");
                });
    }
}
