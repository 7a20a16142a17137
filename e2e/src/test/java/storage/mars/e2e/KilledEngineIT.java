// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import storage.mars.e2e.harness.TwoEngines;
import storage.mars.e2e.load.ContentSnapshot;
import storage.mars.e2e.load.HistoryVerifier;
import storage.mars.e2e.load.LoadClient;
import storage.mars.e2e.load.LoadSettings;

/** SIGKILL under load, again and again: no client sees an error, no acknowledged write is lost. */
final class KilledEngineIT {
    private static final int ROUNDS = Integer.getInteger("mars.e2e.rounds", 100);
    private static final int WRITES_BETWEEN_KILLS = 300;
    @TempDir Path directory;

    @Test
    @Timeout(value = 15, unit = TimeUnit.MINUTES)
    void killedPrimaryLosesNoAcknowledgedWriteAndAnswersNoError() throws Exception {
        try (var engines = TwoEngines.start(directory)) {
            engines.replicate("r", "64MiB");
            try (var load = LoadClient.start(settings(engines), 1)) {
                for (int round = 0; round < ROUNDS && load.errors().isEmpty(); round++) {
                    load.awaitProgress(WRITES_BETWEEN_KILLS + round % 7 * 40);
                    engines.a().kill();
                    engines.a().launch();
                }
                load.awaitProgress(WRITES_BETWEEN_KILLS);
                load.stop();

                assertThat(load.errors()).isEmpty();
                assertThat(load.reconnections()).isGreaterThanOrEqualTo(ROUNDS);
                ContentSnapshot content = load.content();
                var verifier = new HistoryVerifier(load.history());
                assertThat(verifier.everyAcknowledgedWriteIsIn(content)).isEmpty();
                assertThat(verifier.isOnePrefix(content)).isEmpty();
                engines.b().marsadm().waitFor("r", "caught-up");
                assertThat(load.contentOn(engines.b().unix()).sequences())
                        .isEqualTo(content.sequences());
            }
        }
    }

    @Test
    @Timeout(value = 10, unit = TimeUnit.MINUTES)
    void killedSecondaryReturnsToTheSameContent() throws Exception {
        try (var engines = TwoEngines.start(directory)) {
            engines.replicate("r", "64MiB");
            try (var load = LoadClient.start(settings(engines), 2)) {
                for (int round = 0; round < Math.max(1, ROUNDS / 5); round++) {
                    load.awaitProgress(WRITES_BETWEEN_KILLS);
                    engines.b().kill();
                    load.awaitProgress(WRITES_BETWEEN_KILLS);
                    engines.b().start();
                }
                load.awaitProgress(WRITES_BETWEEN_KILLS);
                load.stop();
                engines.b().marsadm().waitFor("r", "caught-up");

                assertThat(load.errors()).isEmpty();
                assertThat(load.reconnections()).isZero();
                ContentSnapshot content = load.contentOn(engines.b().unix());
                assertThat(content.damage()).isEmpty();
                assertThat(content.sequences()).isEqualTo(load.content().sequences());
            }
        }
    }

    private LoadSettings settings(TwoEngines engines) {
        return LoadSettings.of(engines.a().unix(), "r/data", directory.resolve("journal"));
    }
}
