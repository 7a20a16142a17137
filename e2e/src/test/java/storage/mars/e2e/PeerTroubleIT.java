// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import storage.mars.e2e.harness.TwoEngines;
import storage.mars.e2e.load.LoadClient;
import storage.mars.e2e.load.LoadSettings;

/** A peer that is stopped, cut off or silent costs the primary's clients nothing. */
final class PeerTroubleIT {
    private static final int WRITES = 3000;
    @TempDir Path directory;

    @Test
    void primaryGoesOnWhileItsPeerIsStopped() throws Exception {
        try (var engines = TwoEngines.start(directory)) {
            primaryGoesOn(engines, engines.b()::freeze, engines.b()::thaw);
        }
    }

    @Test
    void primaryGoesOnWhileItsPeerIsCutOff() throws Exception {
        try (var engines = TwoEngines.start(directory)) {
            primaryGoesOn(engines, engines::cutLinks, engines::healLinks);
        }
    }

    @Test
    void primaryGoesOnWhileTheLinkIsSilent() throws Exception {
        try (var engines = TwoEngines.start(directory)) {
            primaryGoesOn(engines, engines::stallLinks, engines::healLinks);
        }
    }

    private interface Step {
        void run() throws Exception;
    }

    private void primaryGoesOn(TwoEngines engines, Step trouble, Step end) throws Exception {
        engines.replicate("r", "64MiB");
        var settings = LoadSettings.of(engines.a().unix(), "r/data", directory.resolve("journal"));
        try (var load = LoadClient.start(settings, 1)) {
            load.awaitProgress(WRITES);
            trouble.run();
            load.awaitProgress(WRITES);
            end.run();
            load.awaitProgress(WRITES);
            load.stop();
            engines.b().marsadm().waitFor("r", "caught-up");

            assertThat(load.errors()).isEmpty();
            assertThat(load.reconnections()).isZero();
            assertThat(load.contentOn(engines.b().unix()).sequences())
                    .isEqualTo(load.content().sequences());
        }
    }
}
