// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import storage.mars.engine.export.Outcome;

/** The "Transmission phase" of the NBD protocol and the limits of a request, a row per rule. */
@Timeout(30)
class TransmissionIT {

    private static final long SIZE = NbdFixture.SIZE;
    private static final long U32 = 0xffffffffL;
    private static final int MIB = 1 << 20;
    private static final int FUA = Nbd.CMD_FLAG_FUA;

    private static NbdFixture fixture;

    @BeforeAll
    static void start() throws IOException {
        fixture = new NbdFixture();
    }

    @AfterAll
    static void stop() throws IOException {
        fixture.close();
    }

    record Row(
            String rule,
            String export,
            int type,
            int flags,
            long offset,
            long length,
            int simple,
            int structured) {
        @Override
        public String toString() {
            return rule;
        }
    }

    private static Row row(String rule, int type, int flags, long offset, long length, int error) {
        return new Row(rule, NbdFixture.DISK, type, flags, offset, length, error, error);
    }

    private static Row readOnly(String rule, int type, long length, int error) {
        return new Row(rule, NbdFixture.READ_ONLY, type, 0, 0, length, error, error);
    }

    static Stream<Row> reads() {
        int read = Nbd.CMD_READ;
        return Stream.of(
                row("read nothing", read, 0, 0, 0, 0),
                row("read nothing at the end", read, 0, SIZE, 0, 0),
                row("read nothing beyond", read, 0, SIZE + 1, 0, 22),
                row("read a byte at 1", read, 0, 1, 1, 0),
                row("read the last byte", read, 0, SIZE - 1, 1, 0),
                row("read across the end", read, 0, SIZE - 1, 2, 22),
                row("read at the end", read, 0, SIZE, 1, 22),
                row("read where the sum wraps", read, 0, -1, 4096, 22),
                row("read at 2^63", read, 0, Long.MIN_VALUE, 1, 22),
                row("read 32 MiB", read, 0, 0, 32 * MIB, 0),
                row("read with FUA", read, FUA, 0, 512, 0),
                row("read with NO_HOLE", read, Nbd.CMD_FLAG_NO_HOLE, 0, 512, 22),
                row("read with an unknown flag", read, 1 << 15, 0, 512, 22),
                new Row("read with DF", NbdFixture.DISK, read, Nbd.CMD_FLAG_DF, 0, 65536, 22, 0),
                new Row("read 33 MiB", NbdFixture.DISK, read, 0, 0, 33 * MIB, 22, 75),
                new Row("read 4 GiB - 1", NbdFixture.DISK, read, 0, 0, U32, 22, 75));
    }

    static Stream<Row> ranges() {
        int trim = Nbd.CMD_TRIM;
        int zero = Nbd.CMD_WRITE_ZEROES;
        int cache = Nbd.CMD_CACHE;
        return Stream.of(
                row("trim", trim, 0, 0, 4096, 0),
                row("trim with FUA", trim, FUA, 0, 4096, 0),
                row("trim nothing", trim, 0, 0, 0, 0),
                row("trim past the end", trim, 0, SIZE - 1, 2, 22),
                row("trim 4 GiB - 1 of 64 MiB", trim, 0, 0, U32, 22),
                row("trim where the sum wraps", trim, 0, -2, U32, 22),
                row("trim with NO_HOLE", trim, Nbd.CMD_FLAG_NO_HOLE, 0, 1, 22),
                row("zero", zero, 0, 1, 4096, 0),
                row("zero all of it", zero, 0, 0, SIZE, 0),
                row("zero with every flag", zero, 1 | 2 | 16, 0, 4096, 0),
                row("zero past the end", zero, 0, SIZE - 1, 2, 28),
                row("zero where the sum wraps", zero, 0, -1, 2, 28),
                row("zero with DF", zero, Nbd.CMD_FLAG_DF, 0, 1, 22),
                row("cache", cache, 0, 0, SIZE, 0),
                row("cache with FUA", cache, FUA, 0, 1, 0),
                row("cache past the end", cache, 0, 0, SIZE + 1, 22),
                row("cache with REQ_ONE", cache, Nbd.CMD_FLAG_REQ_ONE, 0, 1, 22),
                row("flush", Nbd.CMD_FLUSH, 0, 0, 0, 0),
                row("flush with a range", Nbd.CMD_FLUSH, 0, 77, 88, 0),
                row("flush with FUA", Nbd.CMD_FLUSH, FUA, 0, 0, 0),
                row("flush with DF", Nbd.CMD_FLUSH, Nbd.CMD_FLAG_DF, 0, 0, 22),
                row("unknown command", 8, 0, 0, 0, 22),
                row("unknown command with a length", 0xffff, 0, 0, U32, 22),
                new Row("block status", NbdFixture.DISK, 7, 0, 0, 4096, 22, 0),
                new Row("one block status", NbdFixture.DISK, 7, 8, 0, 4096, 22, 0),
                row("block status of nothing", 7, 0, 0, 0, 22),
                row("block status past the end", 7, 0, 4096, SIZE, 22),
                row("block status with DF", 7, Nbd.CMD_FLAG_DF, 0, 1, 22));
    }

    static Stream<Row> readOnlyExport() {
        return Stream.of(
                readOnly("read of read-only", Nbd.CMD_READ, 4096, 0),
                readOnly("flush of read-only", Nbd.CMD_FLUSH, 0, 0),
                readOnly("cache of read-only", Nbd.CMD_CACHE, 10, 0),
                readOnly("trim of read-only", Nbd.CMD_TRIM, 4096, 1),
                readOnly("zero of read-only", Nbd.CMD_WRITE_ZEROES, 4096, 1),
                readOnly("write of read-only", Nbd.CMD_WRITE, 4096, 1));
    }

    static Stream<Row> writes() {
        int write = Nbd.CMD_WRITE;
        return Stream.of(
                row("write nothing", write, 0, 0, 0, 0),
                row("write nothing beyond", write, 0, SIZE + 1, 0, 28),
                row("write a byte at 1", write, 0, 1, 1, 0),
                row("write 4 KiB with FUA", write, FUA, 0, 4096, 0),
                row("write 300000 bytes", write, 0, 3, 300000, 0),
                row("write 32 MiB", write, 0, 0, 32 * MIB, 0),
                row("write the last byte", write, 0, SIZE - 1, 1, 0),
                row("write across the end", write, 0, SIZE - 1, 2, 28),
                row("write where the sum wraps", write, 0, -1, 100000, 28),
                row("write with DF", write, Nbd.CMD_FLAG_DF, 0, 1000, 22),
                row("write with unknown flags", write, 0xff00, 0, 100000, 22),
                row("write 33 MiB", write, 0, 0, 33 * MIB, 22),
                row("write 64 MiB", write, 0, 0, 64 * MIB, 22));
    }

    @ParameterizedTest
    @MethodSource({"reads", "ranges", "readOnlyExport", "writes"})
    void requestHasItsAnswerAndTheConnectionGoesOn(Row row) {
        try (RawClient simple = fixture.enter(row.export());
                RawClient structured = fixture.enterStructured(row.export())) {
            assertThat(answerTo(row, simple)).isEqualTo(row.simple());
            assertThat(answerTo(row, structured)).isEqualTo(row.structured());
        }
    }

    private static int answerTo(Row row, RawClient client) {
        long cookie = 0xfedcba9876543210L;
        client.request(row.type(), row.flags(), cookie, row.offset(), row.length());
        if (row.type() == Nbd.CMD_WRITE) {
            client.send(new byte[(int) row.length()]);
        }
        client.request(Nbd.CMD_FLUSH, 0, 5, 0, 0);
        int data = row.type() == Nbd.CMD_READ ? (int) row.length() : 0;
        RawClient.Answer answer = client.answer(data);
        assertThat(answer.cookie()).isEqualTo(cookie);
        assertThat(client.answer().cookie()).isEqualTo(5);
        return answer.error();
    }

    static Stream<byte[]> violations() {
        int bad = Nbd.REQUEST_MAGIC + 1;
        return Stream.of(
                Wire.requestWithMagic(bad, Nbd.CMD_FLUSH, 0, 1, 0, 0),
                Wire.requestWithMagic(0, Nbd.CMD_DISC, 0, 1, 0, 0),
                Wire.request(Nbd.CMD_WRITE, 0, 1, 0, 64 * MIB + 1),
                Wire.request(Nbd.CMD_WRITE, 0, 1, 0, U32));
    }

    @ParameterizedTest
    @MethodSource("violations")
    void whatCannotBeFollowedEndsTheConnection(byte[] bytes) {
        try (RawClient client = fixture.enter(NbdFixture.DISK)) {
            client.send(bytes);

            client.expectEnd();
        }
    }

    static Stream<Object[]> outcomes() {
        return Stream.of(
                new Object[] {Outcome.READ_ONLY, 1},
                new Object[] {Outcome.FAILED, 5},
                new Object[] {Outcome.INVALID, 22},
                new Object[] {Outcome.BEYOND_END, 28});
    }

    @ParameterizedTest
    @MethodSource("outcomes")
    void outcomeOfTheEngineIsAnsweredWithItsCode(Outcome outcome, int code) {
        fixture.disk.outcome(outcome);
        try (RawClient simple = fixture.enter(NbdFixture.DISK);
                RawClient structured = fixture.enterStructured(NbdFixture.DISK)) {
            for (RawClient client : new RawClient[] {simple, structured}) {
                client.write(1, 0, new byte[512]);
                assertThat(client.answer().error()).isEqualTo(code);
                client.request(Nbd.CMD_READ, 0, 2, 0, 512);
                assertThat(client.answer(512).error()).isEqualTo(code);
            }
        } finally {
            fixture.disk.outcome(Outcome.OK);
        }
    }

    @Test
    void closedOutcomeEndsTheConnectionWithoutAnAnswer() {
        fixture.disk.outcome(Outcome.CLOSED);
        try (RawClient client = fixture.enter(NbdFixture.DISK)) {
            client.write(1, 0, new byte[512]);

            client.expectEnd();
        } finally {
            fixture.disk.outcome(Outcome.OK);
        }
    }

    @Test
    void structuredReadIsOneChunkAtItsOffset() {
        byte[] data = random(5000, 1);
        try (RawClient client = fixture.enterStructured(NbdFixture.DISK)) {
            client.write(1, 777, data);
            client.answer();
            client.request(Nbd.CMD_READ, Nbd.CMD_FLAG_DF, 2, 777, 5000);
            RawClient.Answer answer = client.answer();

            assertThat(answer.chunk()).isEqualTo(Nbd.CHUNK_OFFSET_DATA);
            ByteBuffer chunk = ByteBuffer.wrap(answer.data());
            assertThat(chunk.getLong()).isEqualTo(777);
            assertThat(chunk.slice()).isEqualTo(ByteBuffer.wrap(data));
            client.request(Nbd.CMD_READ, 0, 3, 777, 0);
            assertThat(client.answer().chunk()).isEqualTo(Nbd.CHUNK_NONE);
        }
    }

    @Test
    void blockStatusOfGiBsStaysWithinTheQuestion() {
        long[] lengths = {1, 4096, U32, 1L << 31};
        long[] offsets = {0, 1, NbdFixture.HUGE_SIZE - U32, (1L << 32) - 1};
        try (RawClient client = fixture.enterStructured(NbdFixture.HUGE)) {
            client.request(Nbd.CMD_BLOCK_STATUS, 0, 1, NbdFixture.HUGE_SIZE - 1, 1);
            assertThat(client.answer().error()).isZero();
            for (long offset : offsets) {
                for (long length : lengths) {
                    for (int flag : new int[] {0, Nbd.CMD_FLAG_REQ_ONE}) {
                        client.request(Nbd.CMD_BLOCK_STATUS, flag, 1, offset, length);
                        RawClient.Answer answer = client.answer();
                        assertThat(answer.chunk()).isEqualTo(Nbd.CHUNK_BLOCK_STATUS);
                        assertThat(extentSum(answer, 12)).isEqualTo(length);
                    }
                }
            }
        }
    }

    @Test
    void blockStatusShowsDataAndHoles() {
        try (RawClient client = fixture.enterStructured(NbdFixture.HUGE)) {
            client.write(1, 1 << 30, new byte[4096]).answer();
            client.request(Nbd.CMD_BLOCK_STATUS, 0, 1, (1 << 30) - 4096, 12288);
            ByteBuffer all = ByteBuffer.wrap(client.answer().data());
            client.request(Nbd.CMD_BLOCK_STATUS, Nbd.CMD_FLAG_REQ_ONE, 1, 1 << 30, 12288);
            ByteBuffer one = ByteBuffer.wrap(client.answer().data());
            client.request(Nbd.CMD_TRIM, 0, 1, 1 << 30, 4096).answer();

            assertThat(all.remaining()).isEqualTo(28);
            assertThat(new int[] {all.getInt(8), all.getInt(16), all.getInt(24)})
                    .containsExactly(3, 0, 3);
            assertThat(one.remaining()).isEqualTo(12);
            assertThat(one.getInt(4)).isEqualTo(4096);
        }
    }

    private static long extentSum(RawClient.Answer answer, int size) {
        ByteBuffer payload = ByteBuffer.wrap(answer.data());
        assertThat(payload.remaining()).isEqualTo(size);
        assertThat(payload.getInt()).isEqualTo(Nbd.BASE_ALLOCATION_ID);
        return Integer.toUnsignedLong(payload.getInt());
    }

    @Test
    void writeOnOneConnectionIsReadOnTheOthers() {
        try (RawClient tcp = fixture.enter(NbdFixture.DISK);
                RawClient unix = fixture.connectUnix().hello().go(NbdFixture.DISK);
                RawClient third = fixture.enterStructured(NbdFixture.DISK)) {
            for (int i = 0; i < 200; i++) {
                byte[] data = random(4096, i);
                RawClient writer = i % 2 == 0 ? tcp : unix;
                RawClient reader = i % 2 == 0 ? unix : tcp;
                writer.write(i, i * 512L, data).answer();
                reader.request(Nbd.CMD_READ, 0, i, i * 512L, 4096);
                assertThat(reader.answer(4096).data()).isEqualTo(data);
            }
            third.request(Nbd.CMD_FLUSH, 0, 1, 0, 0);
            assertThat(third.answer().error()).isZero();
        }
    }

    @Test
    void manyRequestsInFlightAreAllAnsweredInFull() {
        Random random = new Random(7);
        try (RawClient client = fixture.enter(NbdFixture.DISK)) {
            for (int round = 0; round < 40; round++) {
                int[] sizes = new int[64];
                byte[][] blocks = new byte[64][];
                for (int i = 0; i < sizes.length; i++) {
                    sizes[i] = 1 + random.nextInt(i % 8 == 0 ? 300_000 : 9000);
                    blocks[i] = random(sizes[i], round * 64 + i);
                    client.write(i, i * 400_000L, blocks[i]);
                }
                for (int i = 0; i < sizes.length; i++) {
                    assertThat(client.answer().error()).isZero();
                }
                for (int i = 0; i < sizes.length; i++) {
                    client.request(Nbd.CMD_READ, 0, i, i * 400_000L, sizes[i]);
                    assertThat(client.answer(sizes[i]).data()).isEqualTo(blocks[i]);
                }
            }
        }
    }

    private static byte[] random(int size, long seed) {
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }
}
