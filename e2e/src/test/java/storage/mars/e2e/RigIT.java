// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import storage.mars.e2e.harness.NbdServer;
import storage.mars.e2e.harness.Ports;
import storage.mars.e2e.harness.TcpCut;
import storage.mars.e2e.load.ContentSnapshot;
import storage.mars.e2e.load.HistoryVerifier;
import storage.mars.e2e.load.LoadClient;
import storage.mars.e2e.load.LoadSettings;
import storage.mars.e2e.nbd.NbdAddress;
import storage.mars.e2e.nbd.NbdConnection;

/** The tests' own client and load, against servers that are known to be right. */
final class RigIT {
    private static final long SIZE = 16 << 20;
    private static final int ROUNDS = 5;
    @TempDir Path directory;

    @Test
    void clientSpeaksSimpleAndStructuredReplies() throws Exception {
        try (var server = NbdServer.nbdkit(directory, SIZE)) {
            readsWhatItWrote(server.address(), true);
            readsWhatItWrote(server.address(), false);
        }
    }

    @Test
    void clientReadsHolesOfSparseReplies() throws Exception {
        try (var server = NbdServer.qemuNbd(directory, SIZE)) {
            readsWhatItWrote(server.address(), true);
        }
    }

    @Test
    void loadSurvivesKilledServerAndFindsEveryAcknowledgedWrite() throws Exception {
        try (var server = NbdServer.nbdkit(directory, SIZE);
                var load = LoadClient.start(settings(server.address()), 1)) {
            for (int round = 0; round < ROUNDS; round++) {
                load.awaitProgress(500);
                server.kill();
                server.start();
            }
            load.awaitProgress(500);
            load.stop();

            assertThat(load.errors()).isEmpty();
            assertThat(load.reconnections()).isGreaterThanOrEqualTo(ROUNDS);
            ContentSnapshot content = load.content();
            var verifier = new HistoryVerifier(load.history());
            assertThat(verifier.everyAcknowledgedWriteIsIn(content)).isEmpty();
            assertThat(verifier.isOnePrefix(content)).isEmpty();
        }
    }

    @Test
    void verifierSeesWriteThatIsGone() throws Exception {
        try (var server = NbdServer.qemuNbd(directory, SIZE);
                var load = LoadClient.start(settings(server.address()).sequential(), 2)) {
            load.awaitProgress(300);
            load.stop();
            ContentSnapshot before = load.content();
            int written = 0;
            while (before.sequences()[written] == 0) {
                written++;
            }
            try (var connection = NbdConnection.open(server.address(), "")) {
                connection.writeZeroes((long) written * 4096, 4096);
            }

            var verifier = new HistoryVerifier(load.history());
            assertThat(verifier.everyAcknowledgedWriteIsIn(before)).isEmpty();
            assertThat(verifier.everyAcknowledgedWriteIsIn(load.content()))
                    .containsExactly(
                            "block %d holds write 0, but write %d was acknowledged"
                                    .formatted(written, before.sequences()[written]));
        }
    }

    @Test
    void relayCutsStallsAndHeals() throws Exception {
        int port = Ports.free();
        try (var server = NbdServer.nbdkitOnTcp(directory, SIZE, port);
                var relay = TcpCut.before(port)) {
            var address = new NbdAddress.Tcp("127.0.0.1", relay.port());
            var settings = settings(address).withPatience(Duration.ofSeconds(20));
            try (var load = LoadClient.start(settings, 3)) {
                load.awaitProgress(100);

                relay.cut();
                long whileCut = load.history().acknowledged();
                relay.heal();
                load.awaitProgress(100);
                relay.stall();
                relay.heal();
                load.awaitProgress(100);
                load.stop();

                assertThat(load.history().acknowledged()).isGreaterThan(whileCut);
                assertThat(load.reconnections()).isPositive();
                assertThat(load.errors()).isEmpty();
                assertThat(server.address()).isNotNull();
            }
        }
    }

    private LoadSettings settings(NbdAddress address) {
        return LoadSettings.of(address, "", directory.resolve("journal")).withBlocks(2048);
    }

    private static void readsWhatItWrote(NbdAddress address, boolean structured)
            throws IOException {
        try (var connection = NbdConnection.open(address, "", structured)) {
            var data = new byte[10_000];
            Arrays.fill(data, (byte) 7);
            connection.write(1 << 20, data, true);
            connection.flush();
            connection.trim(0, 4096);
            connection.writeZeroes(1 << 20, 4096);
            Arrays.fill(data, 0, 4096, (byte) 0);

            assertThat(connection.export().sizeBytes()).isEqualTo(SIZE);
            assertThat(connection.read(1 << 20, data.length)).isEqualTo(data);
            assertThat(connection.read(0, 1 << 20)).containsOnly(0);
            connection.disconnect();
        }
    }
}
