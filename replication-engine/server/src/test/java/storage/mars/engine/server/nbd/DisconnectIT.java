// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Clients that leave, at every byte and in every way; another client of the same export never
 * notices.
 */
@Timeout(60)
class DisconnectIT {

    private static final byte[] HANDSHAKE =
            Wire.join(
                    new byte[] {0, 0, 0, 3},
                    Wire.option(Nbd.OPT_LIST, new byte[0]),
                    Wire.option(Nbd.OPT_STRUCTURED_REPLY, new byte[0]),
                    Wire.option(
                            Nbd.OPT_SET_META_CONTEXT,
                            Wire.contexts(NbdFixture.DISK, "base:allocation")),
                    Wire.option(Nbd.OPT_INFO, Wire.query(NbdFixture.DISK, 3)),
                    Wire.option(Nbd.OPT_GO, Wire.query(NbdFixture.DISK, 1, 2, 3)));

    private static final byte[] TRANSMISSION =
            Wire.join(
                    Wire.request(Nbd.CMD_READ, 0, 1, 0, 65536),
                    Wire.write(Nbd.CMD_FLAG_FUA, 2, 8192, new byte[100]),
                    Wire.request(Nbd.CMD_BLOCK_STATUS, 0, 3, 0, 65536),
                    Wire.write(Nbd.CMD_FLAG_DF, 4, 8192, new byte[100]),
                    Wire.request(Nbd.CMD_WRITE_ZEROES, 0, 5, 0, 4096),
                    Wire.request(Nbd.CMD_FLUSH, 0, 6, 0, 0),
                    Wire.request(Nbd.CMD_DISC, 0, 7, 0, 0));

    private NbdFixture fixture;
    private RawClient bystander;

    @BeforeEach
    void start() throws IOException {
        fixture = new NbdFixture();
        bystander = fixture.enter(NbdFixture.DISK);
    }

    @AfterEach
    void stop() throws IOException {
        expectUndisturbed();
        await().until(() -> fixture.disk.attachedNow.get() == 1);
        bystander.close();
        fixture.close();
    }

    private void expectUndisturbed() {
        bystander.write(1, 1 << 20, new byte[] {1, 2, 3}).answer();
        bystander.request(Nbd.CMD_READ, 0, 2, 1 << 20, 3);
        assertThat(bystander.answer(3).data()).containsExactly(1, 2, 3);
    }

    @Test
    void endAfterEveryByteOfTheHandshake() {
        for (int length = 0; length <= HANDSHAKE.length; length++) {
            byte[] part = Arrays.copyOf(HANDSHAKE, length);
            fixture.connect().send(part).close();
            fixture.connect().send(part).reset();
            fixture.connectUnix().send(part).close();
        }
    }

    @Test
    void halfCloseAfterEveryByteOfTheHandshakeEndsIt() {
        for (int length = 0; length < HANDSHAKE.length; length++) {
            try (RawClient client = fixture.connect()) {
                client.send(Arrays.copyOf(HANDSHAKE, length)).halfClose().awaitEnd();
            }
        }
    }

    @Test
    void endAfterEveryByteOfTheTransmission() {
        for (int length = 0; length < TRANSMISSION.length; length++) {
            byte[] part = Wire.join(HANDSHAKE, Arrays.copyOf(TRANSMISSION, length));
            fixture.connect().send(part).close();
            fixture.connect().send(part).reset();
            fixture.connectUnix().send(part).close();
        }
    }

    @Test
    void endInTheMiddleOfPayloadsOfEverySize() {
        for (int size : new int[] {1, 4096, 70_000, 300_000, 5 << 20, 40 << 20}) {
            for (int sent : new int[] {0, size / 2, size - 1}) {
                RawClient client = fixture.enter(NbdFixture.DISK);
                client.request(Nbd.CMD_WRITE, 0, 1, 0, size).send(new byte[sent]);
                if (sent % 2 == 0) {
                    client.close();
                } else {
                    client.reset();
                }
            }
        }
        assertThat(fixture.disk.bytes(0, 4096)).containsOnly(0);
    }

    @Test
    void farewellAndHalfCloseIsAnsweredInFull() {
        for (int i = 0; i < 20; i++) {
            try (RawClient client = i % 2 == 0 ? fixture.connect() : fixture.connectUnix()) {
                client.hello().go(NbdFixture.DISK);
                client.send(
                                Wire.join(
                                        Wire.write(0, 1, 0, new byte[100_000]),
                                        Wire.request(Nbd.CMD_DISC, 0, 3, 0, 0)))
                        .halfClose();

                assertThat(client.answer().cookie()).isEqualTo(1);
                client.expectEnd();
            }
        }
    }

    @Test
    void farewellWaitsForAnswersThatAreHeldBack() {
        fixture.disk.mode(MemoryExport.Mode.HOLDING);
        try (RawClient client = fixture.enter(NbdFixture.DISK)) {
            client.write(1, 0, new byte[512]);
            client.request(Nbd.CMD_DISC, 0, 3, 0, 0).halfClose();
            assertThat(client.silentFor(100)).isTrue();

            fixture.disk.mode(MemoryExport.Mode.RUNNING);

            assertThat(client.answer().cookie()).isEqualTo(1);
            client.expectEnd();
        }
    }

    @Test
    void nothingBehindAFarewellIsDone() {
        try (RawClient client = fixture.enter(NbdFixture.DISK)) {
            client.send(
                    Wire.join(
                            Wire.request(Nbd.CMD_DISC, 0, 3, 0, 0),
                            Wire.write(0, 1, 0, new byte[] {9})));

            client.expectEnd();
            assertThat(fixture.disk.bytes(0, 1)).containsExactly(0);
        }
    }

    @Test
    void resetWithLargeReadsInFlight() {
        int before = fixture.disk.attachedEver.get();
        for (int i = 0; i < 100; i++) {
            RawClient client = fixture.enter(NbdFixture.DISK);
            for (int n = 0; n < 4; n++) {
                client.request(Nbd.CMD_READ, 0, n, 0, 8 << 20);
            }
            client.receive(1 + i * 977);
            client.reset();
            expectUndisturbed();
        }
        assertThat(fixture.disk.attachedEver.get() - before).isEqualTo(100);
    }

    @Test
    void requestThatIsNotAdmittedDiesWithItsConnection() {
        RawClient ghost = fixture.enter(NbdFixture.DISK);
        fixture.disk.mode(MemoryExport.Mode.STALLED);
        ghost.write(1, 0, new byte[] {1, 1, 1, 1});
        await().until(() -> fixture.disk.unadmitted() == 1);
        ghost.close();
        await().until(() -> fixture.disk.unadmitted() == 0);

        fixture.disk.mode(MemoryExport.Mode.RUNNING);

        assertThat(fixture.disk.bytes(0, 4)).containsOnly(0);
    }

    @Test
    void ghostIsGoneBeforeItsClientIsLetInAgain() {
        for (int round = 0; round < 50; round++) {
            RawClient ghost = round % 2 == 0 ? fixture.enter(NbdFixture.DISK) : unixClient();
            fixture.disk.mode(MemoryExport.Mode.STALLED);
            for (int i = 0; i < 8; i++) {
                ghost.write(i, i * 4096L, filled((byte) 1));
            }
            ghost.close();
            try (RawClient again = fixture.enter(NbdFixture.DISK)) {
                for (int i = 0; i < 8; i++) {
                    again.write(i, i * 4096L, filled((byte) 2));
                }
                fixture.disk.mode(MemoryExport.Mode.RUNNING);
                for (int i = 0; i < 8; i++) {
                    assertThat(again.answer().error()).isZero();
                }
            }
            assertThat(fixture.disk.bytes(0, 8 * 4096)).containsOnly(2);
        }
    }

    @Test
    void backlogOfAPausedConnectionDiesWithIt() {
        RawClient ghost = fixture.enter(NbdFixture.DISK);
        fixture.disk.mode(MemoryExport.Mode.STALLED);
        for (int i = 0; i < 1100; i++) {
            ghost.write(i, i, new byte[] {1});
        }
        await().until(() -> fixture.disk.unadmitted() == 1024);
        ghost.close();

        fixture.disk.mode(MemoryExport.Mode.RUNNING);

        assertThat(fixture.disk.bytes(0, 1100)).containsOnly(0);
    }

    @Test
    void backlogThatEndsInAFarewellIsDone() {
        RawClient client = fixture.enter(NbdFixture.DISK);
        fixture.disk.mode(MemoryExport.Mode.STALLED);
        for (int i = 0; i < 1100; i++) {
            client.write(i, i, new byte[] {1});
        }
        client.request(Nbd.CMD_DISC, 0, 0, 0, 0).halfClose();
        await().until(() -> fixture.disk.unadmitted() == 1024);

        fixture.disk.mode(MemoryExport.Mode.RUNNING);

        for (int i = 0; i < 1100; i++) {
            assertThat(client.answer().error()).isZero();
        }
        client.expectEnd();
        client.close();
        assertThat(fixture.disk.bytes(0, 1100)).containsOnly(1);
    }

    private RawClient unixClient() {
        return fixture.connectUnix().hello().go(NbdFixture.DISK);
    }

    private static byte[] filled(byte value) {
        byte[] bytes = new byte[4096];
        Arrays.fill(bytes, value);
        return bytes;
    }
}
