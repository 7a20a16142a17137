// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Planned ends: of the server, and of an export. */
@Timeout(30)
class ShutdownIT {

    private NbdFixture fixture;

    @BeforeEach
    void start() throws IOException {
        fixture = new NbdFixture();
    }

    @AfterEach
    void stop() throws IOException {
        fixture.close();
    }

    @Test
    void whatWasReadIsAnsweredBeforeTheServerStops() {
        RawClient client = fixture.enter(NbdFixture.DISK);
        fixture.disk.mode(MemoryExport.Mode.HOLDING);
        client.write(1, 0, new byte[] {7});
        await().until(() -> fixture.disk.submitted.get() == 1);

        CompletableFuture<Void> stopped = fixture.server.stop(Duration.ofSeconds(10));
        assertThat(client.silentFor(50)).isTrue();
        assertThat(stopped).isNotDone();
        fixture.disk.mode(MemoryExport.Mode.RUNNING);

        RawClient.Answer answer = client.answer();
        assertThat(answer.error()).isZero();
        client.expectEnd();
        client.close();
        stopped.join();
    }

    @Test
    void backlogOfAPausedConnectionIsAnsweredBeforeTheServerStops() {
        RawClient client = fixture.enter(NbdFixture.DISK);
        fixture.disk.mode(MemoryExport.Mode.STALLED);
        for (int i = 0; i < 1100; i++) {
            client.write(i, i, new byte[] {1});
        }
        await().until(() -> fixture.disk.unadmitted() == 1024);

        CompletableFuture<Void> stopped = fixture.server.stop(Duration.ofSeconds(10));
        fixture.disk.mode(MemoryExport.Mode.RUNNING);

        for (int i = 0; i < 1024; i++) {
            assertThat(client.answer().error()).isZero();
        }
        client.awaitEnd();
        client.close();
        stopped.join();
    }

    @Test
    void clientThatDoesNotLeaveIsWaitedForBriefly() {
        try (RawClient client = fixture.enter(NbdFixture.DISK)) {
            CompletableFuture<Void> stopped = fixture.server.stop(Duration.ofSeconds(20));
            client.expectEnd();

            await().atMost(Duration.ofSeconds(5)).until(stopped::isDone);
        }
    }

    @Test
    void stalledRequestsAreCutOffAtTheLimit() {
        fixture.disk.mode(MemoryExport.Mode.STALLED);
        try (RawClient client = fixture.enter(NbdFixture.DISK)) {
            client.write(1, 0, new byte[1]);
            await().until(() -> fixture.disk.unadmitted() == 1);

            fixture.server.stop(Duration.ofMillis(200)).join();

            client.awaitEnd();
            assertThat(fixture.disk.unadmitted()).isZero();
        }
    }

    @Test
    void optionsAreAnsweredWithShutdownMeanwhile() {
        RawClient busy = fixture.enter(NbdFixture.DISK);
        fixture.disk.mode(MemoryExport.Mode.HOLDING);
        busy.write(1, 0, new byte[1]);
        await().until(() -> fixture.disk.submitted.get() == 1);
        RawClient late = fixture.connect().hello().structured();
        RawClient aborting = fixture.connect().hello();
        RawClient old = fixture.connect().hello();

        CompletableFuture<Void> stopped = fixture.server.stop(Duration.ofSeconds(10));
        int[] ids = {3, 5, 6, 7, 8, 9, 10, 11, 77};
        for (int id : ids) {
            late.option(id, Wire.query(NbdFixture.DISK));
            assertThat(late.reply().type()).isEqualTo(Nbd.REP_ERR_SHUTDOWN);
        }
        aborting.option(Nbd.OPT_ABORT, new byte[0]);
        assertThat(aborting.reply().type()).isEqualTo(Nbd.REP_ACK);
        old.option(Nbd.OPT_EXPORT_NAME, "r/disk".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        old.expectEnd();
        fixture.disk.mode(MemoryExport.Mode.RUNNING);
        busy.answer();
        busy.close();

        stopped.join();
        late.expectEnd();
        List.of(late, aborting, old).forEach(RawClient::close);
    }

    @Test
    void serverStopsWithConnectionsInEveryState() {
        byte[] handshake =
                Wire.join(
                        new byte[] {0, 0, 0, 3},
                        Wire.option(Nbd.OPT_STRUCTURED_REPLY, new byte[0]),
                        Wire.option(Nbd.OPT_GO, Wire.query(NbdFixture.DISK)),
                        Wire.request(Nbd.CMD_WRITE, 0, 1, 0, 4096));
        List<RawClient> clients = new ArrayList<>();
        for (int length = 0; length <= handshake.length; length++) {
            clients.add(fixture.connect().send(Arrays.copyOf(handshake, length)));
        }

        CompletableFuture<Void> stopped = fixture.server.stop(Duration.ofSeconds(5));
        clients.forEach(RawClient::awaitEnd);
        clients.forEach(RawClient::close);

        stopped.join();
        assertThat(fixture.disk.attachedNow.get()).isZero();
    }

    @Test
    void closingExportEndsItsConnectionsAndNoOthers() {
        RawClient other = fixture.enter(NbdFixture.HUGE);
        RawClient client = fixture.enter(NbdFixture.DISK);
        fixture.disk.mode(MemoryExport.Mode.HOLDING);
        client.write(1, 0, new byte[1]);
        await().until(() -> fixture.disk.submitted.get() == 1);

        fixture.disk.close("secondary now");
        assertThat(client.silentFor(50)).isTrue();
        fixture.disk.mode(MemoryExport.Mode.RUNNING);

        assertThat(client.answer().error()).isZero();
        client.expectEnd();
        other.request(Nbd.CMD_FLUSH, 0, 4, 0, 0);
        assertThat(other.answer().cookie()).isEqualTo(4);
        client.close();
        other.close();
    }

    @Test
    void socketsAreFreedAndPrivate() throws IOException {
        assertThat(Files.getPosixFilePermissions(fixture.unix))
                .isEqualTo(PosixFilePermissions.fromString("rw-------"));
        assertThatThrownBy(() -> fixture.server.listen(fixture.unix))
                .hasMessageContaining("another server");
        assertThatThrownBy(() -> fixture.server.listen(fixture.tcp)).hasMessageContaining("listen");

        fixture.server.stop(Duration.ofSeconds(1)).join();

        assertThat(Files.exists(fixture.unix)).isFalse();
        try (NbdFixture next = new NbdFixture()) {
            assertThat(
                            next.server.listen(
                                    new InetSocketAddress(
                                            fixture.tcp.getAddress(), fixture.tcp.getPort())))
                    .isEqualTo(fixture.tcp);
        }
    }

    @Test
    void staleSocketIsReplacedAndAFileIsNot() throws IOException {
        var stale = fixture.unix.resolveSibling("stale.sock");
        try (var dead =
                java.nio.channels.ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX)) {
            dead.bind(java.net.UnixDomainSocketAddress.of(stale));
        }
        fixture.server.listen(stale);
        RawClient.unix(stale).hello().go(NbdFixture.DISK).close();

        var file = fixture.unix.resolveSibling("file");
        Files.writeString(file, "mine");
        assertThatThrownBy(() -> fixture.server.listen(file)).hasMessageContaining("in the way");
        Files.delete(file);
    }
}
