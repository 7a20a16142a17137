// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import storage.mars.e2e.harness.Command;
import storage.mars.e2e.harness.ResourceStatus;
import storage.mars.e2e.harness.TwoEngines;
import storage.mars.e2e.load.ContentSnapshot;
import storage.mars.e2e.load.HistoryVerifier;
import storage.mars.e2e.load.LoadClient;
import storage.mars.e2e.load.LoadSettings;
import storage.mars.e2e.nbd.NbdConnection;

/** The life of a resource on two engines, without faults. */
final class TwoEnginesIT {
    @TempDir Path directory;

    @Test
    void secondaryHoldsWhatThePrimaryAcknowledged() throws Exception {
        try (var engines = TwoEngines.start(directory)) {
            engines.replicate("r", "64MiB");
            try (var load = LoadClient.start(settings(engines), 1)) {
                load.awaitProgress(2000);
                load.stop();
                engines.b().marsadm().waitFor("r", "caught-up");

                try (var replica = NbdConnection.open(engines.b().unix(), "r/data")) {
                    assertThat(replica.export().readOnly()).isTrue();
                }
                var onPrimary = load.content();
                var onSecondary = contentOf(engines, load);
                assertThat(load.errors()).isEmpty();
                assertThat(onSecondary.sequences()).isEqualTo(onPrimary.sequences());
                assertThat(
                                new HistoryVerifier(load.history())
                                        .everyAcknowledgedWriteIsIn(onSecondary))
                        .isEmpty();
            }
        }
    }

    @Test
    void statusShowsRolesMembersAndPositions() throws Exception {
        try (var engines = TwoEngines.start(directory)) {
            engines.replicate("r", "64MiB");

            ResourceStatus primary = engines.a().marsadm().status("r");
            ResourceStatus secondary = engines.b().marsadm().status("r");

            assertThat(primary.isPrimary()).isTrue();
            assertThat(secondary.isSecondary()).isTrue();
            assertThat(secondary.consistent()).isTrue();
            assertThat(secondary.term()).isEqualTo(primary.term());
            assertThat(secondary.received()).isEqualTo(primary.durable());
            assertThat(primary.member("b").orElseThrow().get("connected").asBoolean()).isTrue();
            assertThat(primary.member("b").orElseThrow().get("lagBytes").asLong()).isZero();
        }
    }

    @Test
    void secondJoinOfReplicaThatIsBeingWrittenEndsConsistent() throws Exception {
        try (var engines = TwoEngines.start(directory)) {
            engines.a().marsadm().createResource("r", "data:64MiB");
            try (var load = LoadClient.start(settings(engines), 4)) {
                load.awaitProgress(2000);
                engines.b().marsadm().joinResource("r", engines.a().settings().peer());
                engines.b().marsadm().waitFor("r", "consistent");
                load.awaitProgress(500);
                load.stop();
                engines.b().marsadm().waitFor("r", "caught-up");

                assertThat(load.errors()).isEmpty();
                assertThat(contentOf(engines, load).sequences())
                        .isEqualTo(load.content().sequences());
            }
        }
    }

    @Test
    void handoverIsRefusedWhileClientsWriteAndLosesNothingAfterwards() throws Exception {
        try (var engines = TwoEngines.start(directory)) {
            engines.replicate("r", "64MiB");
            try (var load = LoadClient.start(settings(engines), 2)) {
                load.awaitProgress(1000);
                Command.Result refused = engines.b().marsadm().run("primary", "r");
                load.awaitProgress(100);
                load.stop();
                engines.b().marsadm().promote("r");

                assertThat(refused.exitCode()).isNotZero();
                assertThat(refused.err().strip().lines()).hasSize(1);
                assertThat(refused.err()).contains("r/data");
                assertThat(engines.b().marsadm().status("r").isPrimary()).isTrue();
                assertThat(engines.a().marsadm().status("r").isSecondary()).isTrue();
                assertThat(load.errors()).isEmpty();
                var verifier = new HistoryVerifier(load.history());
                assertThat(verifier.everyAcknowledgedWriteIsIn(contentOf(engines, load))).isEmpty();
            }
        }
    }

    @Test
    void rolesGoBackAndForthUnderAlternatingLoad() throws Exception {
        try (var engines = TwoEngines.start(directory)) {
            engines.replicate("r", "64MiB");
            for (int turn = 0; turn < 4; turn++) {
                var primary = turn % 2 == 0 ? engines.a() : engines.b();
                var next = turn % 2 == 0 ? engines.b() : engines.a();
                try (var connection = NbdConnection.open(primary.unix(), "r/data")) {
                    connection.writeZeroes(0, 64 << 20);
                    connection.disconnect();
                }
                var settings =
                        LoadSettings.of(
                                primary.unix(), "r/data", directory.resolve("journal" + turn));
                try (var load = LoadClient.start(settings, turn)) {
                    load.awaitProgress(300);
                    load.stop();
                    next.marsadm().promote("r");

                    assertThat(load.errors()).isEmpty();
                    var verifier = new HistoryVerifier(load.history());
                    var content = load.contentOn(next.unix());
                    assertThat(verifier.everyAcknowledgedWriteIsIn(content)).isEmpty();
                }
            }
        }
    }

    private LoadSettings settings(TwoEngines engines) {
        return LoadSettings.of(engines.a().unix(), "r/data", directory.resolve("journal"));
    }

    private static ContentSnapshot contentOf(TwoEngines engines, LoadClient load)
            throws IOException {
        return load.contentOn(engines.b().unix());
    }
}
