// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.PooledByteBufAllocator;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a client may not take from the others. */
@Timeout(60)
class LimitsIT {

    private static final NbdLimits DEFAULTS = NbdLimits.defaults();
    private static final int MIB = 1 << 20;

    /** What the allocator and sockets may take meanwhile: its chunks are of 4 MiB. */
    private static final long SLACK = 16 * MIB;

    @Test
    void idleConnectionsLockNobodyOut() throws IOException {
        try (NbdFixture fixture = new NbdFixture()) {
            List<RawClient> idle = new ArrayList<>();
            for (int i = 0; i < 1000; i++) {
                idle.add(fixture.connect());
            }

            try (RawClient client = fixture.enter(NbdFixture.DISK)) {
                client.request(Nbd.CMD_FLUSH, 0, 1, 0, 0);
                assertThat(client.answer().error()).isZero();
                idle.getFirst().awaitEnd();
            }
            idle.forEach(RawClient::close);
        }
    }

    @Test
    void idleConnectionsAreFewTakeNoMemoryAndEndInTime() throws IOException {
        NbdLimits limits = withHandshakes(Duration.ofMillis(500));
        try (NbdFixture fixture = new NbdFixture(limits)) {
            long before = directMemory();
            List<RawClient> idle = new ArrayList<>();
            for (int i = 0; i < 1000; i++) {
                idle.add(fixture.connect());
                assertThat(fixture.server.connections())
                        .isLessThanOrEqualTo(limits.clients().handshaking());
                assertThat(directMemory() - before).isLessThan(SLACK);
            }

            await().until(() -> fixture.server.connections() == 0);
            idle.forEach(RawClient::awaitEnd);
            assertThat(directMemory() - before).isLessThan(SLACK);
            try (RawClient client = fixture.enter(NbdFixture.DISK)) {
                client.request(Nbd.CMD_FLUSH, 0, 1, 0, 0);
                assertThat(client.answer().error()).isZero();
            }
            idle.forEach(RawClient::close);
        }
    }

    @Test
    void silentAndSlowHandshakesEndInTime() throws IOException {
        NbdLimits limits = withHandshakes(Duration.ofMillis(300));
        try (NbdFixture fixture = new NbdFixture(limits);
                RawClient silent = fixture.connect();
                RawClient slow = fixture.connect().hello();
                RawClient honest = fixture.enter(NbdFixture.DISK)) {
            slow.send(Wire.optionHeader(99, MIB, new byte[10]));

            silent.awaitEnd();
            slow.awaitEnd();
            honest.request(Nbd.CMD_FLUSH, 0, 1, 0, 0);
            assertThat(honest.answer().error()).isZero();
        }
    }

    private static void addExports(NbdFixture fixture, int count) {
        for (int i = 0; i < count; i++) {
            fixture.exports.add("many/volume-" + i, MIB, true, fixture.disk.shard());
        }
    }

    private static byte[] lists(int count) {
        ByteBuffer options = ByteBuffer.allocate(16 * (count + 1));
        for (int i = 0; i < count; i++) {
            options.put(Wire.option(Nbd.OPT_LIST, new byte[0]));
        }
        return Arrays.copyOf(options.array(), options.position());
    }

    @Test
    void whoTakesNoAnswersToOptionsIsNotAskedForMore() throws IOException {
        NbdLimits limits = withHandshakes(Duration.ofSeconds(3));
        try (NbdFixture fixture = new NbdFixture(limits)) {
            addExports(fixture, 300);
            long before = directMemory();
            List<RawClient> silent = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                RawClient client = i % 2 == 0 ? fixture.connect() : fixture.connectUnix();
                client.hello().sendQuietly(lists(255));
                silent.add(client.sendQuietly(Wire.option(Nbd.OPT_ABORT, new byte[0])));
                assertThat(directMemory() - before).isLessThan(SLACK);
            }

            await().atMost(Duration.ofSeconds(20)).until(() -> fixture.server.connections() == 0);
            assertThat(directMemory() - before).isLessThan(SLACK);
            silent.forEach(RawClient::close);
        }
    }

    @Test
    void whoTakesAnswersToOptionsLaterGetsThemAll() throws IOException {
        try (NbdFixture fixture = new NbdFixture()) {
            addExports(fixture, 300);
            try (RawClient client = fixture.connectUnix().hello()) {
                client.send(lists(100));
                for (int i = 0; i < 100; i++) {
                    for (int export = 0; export < 303; export++) {
                        assertThat(client.reply().type()).isEqualTo(Nbd.REP_SERVER);
                    }
                    assertThat(client.reply().type()).isEqualTo(Nbd.REP_ACK);
                }
                client.go(NbdFixture.DISK).request(Nbd.CMD_FLUSH, 0, 1, 0, 0);
                assertThat(client.answer().error()).isZero();
            }
        }
    }

    @Test
    void oneExportHasItsOwnLimitOfConnections() throws IOException {
        NbdLimits limits =
                new NbdLimits(
                        new NbdLimits.Clients(
                                100, 2, 100, 100, Duration.ofSeconds(60), Duration.ofSeconds(1)),
                        DEFAULTS.options(),
                        DEFAULTS.requests());
        try (NbdFixture fixture = new NbdFixture(limits);
                RawClient first = fixture.enter(NbdFixture.DISK);
                RawClient second = fixture.enter(NbdFixture.DISK);
                RawClient third = fixture.connect().hello()) {
            third.option(Nbd.OPT_GO, Wire.query(NbdFixture.DISK));
            assertThat(third.reply().type()).isEqualTo(Nbd.REP_ERR_POLICY);
            third.go(NbdFixture.HUGE);

            first.request(Nbd.CMD_DISC, 0, 1, 0, 0).expectEnd();
            first.close();
            await().until(() -> fixture.disk.attachedNow.get() == 1);
            try (RawClient fourth = fixture.enter(NbdFixture.DISK)) {
                fourth.request(Nbd.CMD_FLUSH, 0, 1, 0, 0);
                assertThat(fourth.answer().error()).isZero();
            }
            second.close();
        }
    }

    @Test
    void oneAddressHasItsOwnLimitOfConnections() throws IOException {
        NbdLimits limits =
                new NbdLimits(
                        new NbdLimits.Clients(
                                100, 100, 2, 100, Duration.ofSeconds(60), Duration.ofSeconds(1)),
                        DEFAULTS.options(),
                        DEFAULTS.requests());
        try (NbdFixture fixture = new NbdFixture(limits);
                RawClient first = fixture.enter(NbdFixture.DISK);
                RawClient second = fixture.enter(NbdFixture.DISK);
                RawClient third = fixture.connect();
                RawClient local = fixture.connectUnix()) {
            third.expectEnd();
            local.hello().go(NbdFixture.DISK);
            second.request(Nbd.CMD_FLUSH, 0, 1, 0, 0).answer();
            first.request(Nbd.CMD_FLUSH, 0, 1, 0, 0).answer();
        }
    }

    @Test
    void clientThatDoesNotReadItsRepliesIsCutOff() throws IOException {
        try (NbdFixture fixture = new NbdFixture(withStuck(Duration.ofMillis(400)));
                RawClient stuck =
                        RawClient.tcpWithSmallWindow(fixture.tcp).hello().go(NbdFixture.DISK);
                RawClient honest = fixture.enter(NbdFixture.DISK)) {
            for (int i = 0; i < 1000; i++) {
                stuck.sendQuietly(Wire.request(Nbd.CMD_READ, 0, i, 0, 4 * MIB));
            }

            honest.request(Nbd.CMD_READ, 0, 1, 0, MIB);
            assertThat(honest.answer(MIB).error()).isZero();
            await().until(() -> fixture.disk.attachedNow.get() == 1);
            honest.request(Nbd.CMD_READ, 0, 1, 0, MIB);
            assertThat(honest.answer(MIB).error()).isZero();
        }
    }

    @Test
    void manyLargeReadsOfSilentClientsTakeTheShareOfTheirExportAndNoMore() throws IOException {
        try (NbdFixture fixture = new NbdFixture();
                RawClient other = fixture.enter(NbdFixture.READ_ONLY)) {
            long share = DEFAULTS.requests().budgetBytes() / 2;
            long bound = share + PayloadMemory.MAX_KEPT + SLACK;
            long before = directMemory();
            List<RawClient> silent = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                RawClient client = RawClient.tcpWithSmallWindow(fixture.tcp).hello();
                silent.add(client.go(NbdFixture.DISK).send(reads(1024, 32 * MIB)));
                assertThat(directMemory() - before).isLessThan(bound);
            }
            await().until(() -> directMemory() - before >= share);

            for (int i = 0; i < 100; i++) {
                other.request(Nbd.CMD_READ, 0, i, 0, MIB);
                assertThat(other.answer(MIB).error()).isZero();
                assertThat(directMemory() - before).isLessThan(bound);
            }
            assertThat(fixture.disk.attachedNow.get()).isEqualTo(silent.size());
            assertThat(fixture.disk.submitted.get()).isLessThanOrEqualTo(4);

            silent.forEach(RawClient::reset);
            try (RawClient next = fixture.enter(NbdFixture.DISK)) {
                next.request(Nbd.CMD_READ, 0, 1, 0, 32 * MIB);
                assertThat(next.answer(32 * MIB).error()).isZero();
            }
        }
    }

    /** What is below the watermark of a socket counts too. */
    @Test
    void manySmallReadsOfSilentClientsTakeTheShareOfTheirExportAndNoMore() throws IOException {
        NbdLimits.Requests usual = DEFAULTS.requests();
        NbdLimits limits =
                new NbdLimits(
                        DEFAULTS.clients(),
                        DEFAULTS.options(),
                        new NbdLimits.Requests(
                                usual.inFlight(),
                                usual.bytesInFlight(),
                                usual.payloadBytes(),
                                usual.skippedBytes(),
                                64 * MIB));
        try (NbdFixture fixture = new NbdFixture(limits);
                RawClient other = fixture.enter(NbdFixture.READ_ONLY)) {
            // A buffer for 96 KiB has 128.
            long bound = 32L * MIB * 128 / 96 + PayloadMemory.MAX_KEPT + SLACK;
            long before = directMemory();
            List<RawClient> silent = new ArrayList<>();
            for (int i = 0; i < 60; i++) {
                RawClient client = fixture.connectUnix().hello();
                silent.add(client.go(NbdFixture.DISK).send(reads(20, 96 << 10)));
                assertThat(directMemory() - before).isLessThan(bound);
            }

            for (int i = 0; i < 20; i++) {
                other.request(Nbd.CMD_READ, 0, i, 0, MIB);
                assertThat(other.answer(MIB).error()).isZero();
            }
            assertThat(directMemory() - before).isLessThan(bound);
            silent.forEach(RawClient::close);
            try (RawClient next = fixture.enter(NbdFixture.DISK)) {
                next.request(Nbd.CMD_READ, 0, 1, 0, 16 * MIB);
                assertThat(next.answer(16 * MIB).error()).isZero();
            }
        }
    }

    private static byte[] reads(int count, int length) {
        byte[][] reads = new byte[count][];
        for (int i = 0; i < count; i++) {
            reads[i] = Wire.request(Nbd.CMD_READ, 0, i, 0, length);
        }
        return Wire.join(reads);
    }

    /**
     * Bytes outside of the heap that anybody holds: large payloads, and what the allocator gave.
     */
    private static long directMemory() {
        long large =
                ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                        .filter(pool -> pool.getName().equals("direct"))
                        .mapToLong(BufferPoolMXBean::getMemoryUsed)
                        .sum();
        return large + PooledByteBufAllocator.DEFAULT.pinnedDirectMemory();
    }

    @Test
    void clientThatDoesNotSendItsPayloadIsCutOff() throws IOException {
        try (NbdFixture fixture = new NbdFixture(withStuck(Duration.ofMillis(300)));
                RawClient stuck = fixture.enter(NbdFixture.DISK)) {
            stuck.request(Nbd.CMD_WRITE, 0, 1, 0, 32 * MIB).send(new byte[100]);

            stuck.awaitEnd();
        }
    }

    @Test
    void clientThatReadsSlowlyIsServed() throws IOException {
        try (NbdFixture fixture = new NbdFixture(withStuck(Duration.ofMillis(500)));
                RawClient slow =
                        RawClient.tcpWithSmallWindow(fixture.tcp).hello().go(NbdFixture.DISK)) {
            for (int i = 0; i < 100; i++) {
                slow.request(Nbd.CMD_READ, 0, i, 0, MIB);
            }
            for (int i = 0; i < 100; i++) {
                assertThat(slow.answer(MIB).error()).isZero();
            }
        }
    }

    @Test
    void stalledExportTakesNoMemoryFromOthersOfItsShard() throws IOException {
        NbdLimits limits =
                new NbdLimits(
                        DEFAULTS.clients(),
                        DEFAULTS.options(),
                        new NbdLimits.Requests(1024, 8 * MIB, 4 * MIB, 8 * MIB, 8 * MIB));
        try (NbdFixture fixture = new NbdFixture(limits);
                RawClient first = fixture.enter(NbdFixture.DISK);
                RawClient second = fixture.enter(NbdFixture.DISK);
                RawClient neighbour = fixture.enter(NbdFixture.READ_ONLY)) {
            fixture.disk.mode(MemoryExport.Mode.STALLED);
            byte[] megabyte = new byte[MIB];
            for (int i = 0; i < 3; i++) {
                first.write(i, i * (long) MIB, megabyte);
                second.write(i, (3 + i) * (long) MIB, megabyte);
            }
            await().until(() -> fixture.disk.unadmitted() == 4);

            for (int i = 0; i < 20; i++) {
                neighbour.request(Nbd.CMD_READ, 0, i, 0, 4 * MIB);
                assertThat(neighbour.answer(4 * MIB).error()).isZero();
            }
            fixture.disk.mode(MemoryExport.Mode.RUNNING);
            for (int i = 0; i < 3; i++) {
                assertThat(first.answer().error()).isZero();
                assertThat(second.answer().error()).isZero();
            }
        }
    }

    @Test
    void requestsInFlightAreBounded() throws IOException {
        try (NbdFixture fixture = new NbdFixture();
                RawClient client = fixture.enter(NbdFixture.DISK)) {
            fixture.disk.mode(MemoryExport.Mode.HOLDING);
            for (int i = 0; i < 3000; i++) {
                client.request(Nbd.CMD_FLUSH, 0, i, 0, 0);
            }
            await().until(() -> fixture.disk.submitted.get() == 1024);
            assertThat(client.silentFor(50)).isTrue();
            assertThat(fixture.disk.submitted.get()).isEqualTo(1024);
            fixture.disk.mode(MemoryExport.Mode.RUNNING);
            for (int i = 0; i < 3000; i++) {
                assertThat(client.answer().cookie()).isEqualTo(i);
            }
        }
    }

    private static NbdLimits withHandshakes(Duration time) {
        return new NbdLimits(
                DEFAULTS.clients(),
                new NbdLimits.Options(256, 65536, MIB, time),
                DEFAULTS.requests());
    }

    private static NbdLimits withStuck(Duration time) {
        return new NbdLimits(
                new NbdLimits.Clients(100, 100, 100, 100, time, Duration.ofSeconds(1)),
                DEFAULTS.options(),
                DEFAULTS.requests());
    }
}
