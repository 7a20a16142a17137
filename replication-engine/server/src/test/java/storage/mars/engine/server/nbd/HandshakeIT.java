// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The handshake of the NBD protocol (its "Handshake phase" and "Option types"), a row per rule. */
@Timeout(30)
class HandshakeIT {

    private static final byte[] NONE = {};
    private static NbdFixture fixture;

    @BeforeAll
    static void start() throws IOException {
        fixture = new NbdFixture();
    }

    @AfterAll
    static void stop() throws IOException {
        fixture.close();
    }

    @SuppressWarnings("ArrayRecordComponent")
    record Refused(String rule, int option, byte[] data, int answer) {
        @Override
        public String toString() {
            return rule;
        }
    }

    static Stream<Refused> refusedOptions() {
        String disk = NbdFixture.DISK;
        return Stream.of(
                new Refused("LIST has no data", Nbd.OPT_LIST, new byte[1], Nbd.REP_ERR_INVALID),
                new Refused(
                        "STRUCTURED_REPLY has no data",
                        Nbd.OPT_STRUCTURED_REPLY,
                        new byte[4],
                        Nbd.REP_ERR_INVALID),
                new Refused("PEEK_EXPORT is withdrawn", 4, NONE, Nbd.REP_ERR_UNSUP),
                new Refused("no TLS here", Nbd.OPT_STARTTLS, NONE, Nbd.REP_ERR_POLICY),
                new Refused("no extended headers", 11, NONE, Nbd.REP_ERR_UNSUP),
                new Refused("unknown option", 0x7fffffff, new byte[77], Nbd.REP_ERR_UNSUP),
                new Refused("negative option", -1, NONE, Nbd.REP_ERR_UNSUP),
                new Refused(
                        "unknown export of INFO",
                        Nbd.OPT_INFO,
                        Wire.query("nothing"),
                        Nbd.REP_ERR_UNKNOWN),
                new Refused(
                        "unknown export of GO",
                        Nbd.OPT_GO,
                        Wire.query("nothing\n\u001b[1m"),
                        Nbd.REP_ERR_UNKNOWN),
                new Refused(
                        "another incarnation in INFO",
                        Nbd.OPT_INFO,
                        Wire.query(disk + "@incarnation=2"),
                        Nbd.REP_ERR_POLICY),
                new Refused(
                        "another incarnation in GO",
                        Nbd.OPT_GO,
                        Wire.query(disk + "@incarnation=ffffffffffffffff"),
                        Nbd.REP_ERR_POLICY),
                new Refused(
                        "another incarnation in LIST_META",
                        Nbd.OPT_LIST_META_CONTEXT,
                        Wire.contexts(disk + "@incarnation=0"),
                        Nbd.REP_ERR_POLICY),
                new Refused(
                        "an incarnation of nothing",
                        Nbd.OPT_GO,
                        Wire.query("nothing@incarnation=1"),
                        Nbd.REP_ERR_UNKNOWN),
                new Refused(
                        "an incarnation of several exports",
                        Nbd.OPT_GO,
                        Wire.query("@incarnation=1"),
                        Nbd.REP_ERR_UNKNOWN),
                new Refused(
                        "no incarnation",
                        Nbd.OPT_GO,
                        Wire.query(disk + "@incarnation="),
                        Nbd.REP_ERR_UNKNOWN),
                new Refused(
                        "an incarnation that is no number",
                        Nbd.OPT_GO,
                        Wire.query(disk + "@incarnation=+1"),
                        Nbd.REP_ERR_UNKNOWN),
                new Refused(
                        "an incarnation of 17 digits",
                        Nbd.OPT_GO,
                        Wire.query(disk + "@incarnation=00000000000000001"),
                        Nbd.REP_ERR_UNKNOWN),
                new Refused(
                        "several exports have no default",
                        Nbd.OPT_GO,
                        Wire.query(""),
                        Nbd.REP_ERR_UNKNOWN),
                new Refused(
                        "4096 bytes of name",
                        Nbd.OPT_GO,
                        Wire.query("x".repeat(4096)),
                        Nbd.REP_ERR_UNKNOWN),
                new Refused(
                        "4097 bytes of name",
                        Nbd.OPT_GO,
                        Wire.query("x".repeat(4097)),
                        Nbd.REP_ERR_INVALID),
                new Refused(
                        "NUL in a name", Nbd.OPT_GO, Wire.query("r/di\0sk"), Nbd.REP_ERR_INVALID),
                new Refused(
                        "a name that is not UTF-8",
                        Nbd.OPT_INFO,
                        bytes(0, 0, 0, 2, 0xC3, 0x28, 0, 0),
                        Nbd.REP_ERR_INVALID),
                new Refused(
                        "fewer infos than counted",
                        Nbd.OPT_GO,
                        cut(Wire.query(disk, 1, 3), 2),
                        Nbd.REP_ERR_INVALID),
                new Refused(
                        "more infos than counted",
                        Nbd.OPT_GO,
                        Wire.join(Wire.query(disk, 1), new byte[2]),
                        Nbd.REP_ERR_INVALID),
                new Refused(
                        "half an info",
                        Nbd.OPT_GO,
                        Wire.join(Wire.query(disk), new byte[1]),
                        Nbd.REP_ERR_INVALID),
                new Refused(
                        "SET without structured replies",
                        Nbd.OPT_SET_META_CONTEXT,
                        Wire.contexts(disk, "base:allocation"),
                        Nbd.REP_ERR_INVALID),
                new Refused(
                        "contexts of an unknown export",
                        Nbd.OPT_LIST_META_CONTEXT,
                        Wire.contexts("nothing"),
                        Nbd.REP_ERR_UNKNOWN),
                new Refused(
                        "too many queries",
                        Nbd.OPT_LIST_META_CONTEXT,
                        Wire.contexts(
                                disk,
                                Stream.generate(() -> "x:").limit(1025).toArray(String[]::new)),
                        Nbd.REP_ERR_TOO_BIG),
                new Refused(
                        "too much data of a known option",
                        Nbd.OPT_GO,
                        new byte[(64 << 10) + 1],
                        Nbd.REP_ERR_TOO_BIG),
                new Refused(
                        "much data of an unknown option",
                        99,
                        new byte[1 << 20],
                        Nbd.REP_ERR_UNSUP));
    }

    static Stream<Refused> wrongInnerLengths() {
        byte[] query = Wire.query(NbdFixture.DISK);
        byte[] contexts = Wire.contexts(NbdFixture.DISK, "base:allocation");
        return Stream.of(0, 4097, query.length + 1, Integer.MIN_VALUE, -1)
                .flatMap(length ->
                        Stream.of(
                                new Refused(
                                        "GO with name length " + length,
                                        Nbd.OPT_GO,
                                        patched(query, 0, length),
                                        Nbd.REP_ERR_INVALID),
                                new Refused(
                                        "INFO with name length " + length,
                                        Nbd.OPT_INFO,
                                        patched(query, 0, length),
                                        Nbd.REP_ERR_INVALID),
                                new Refused(
                                        "LIST_META with name length " + length,
                                        Nbd.OPT_LIST_META_CONTEXT,
                                        patched(contexts, 0, length),
                                        Nbd.REP_ERR_INVALID),
                                new Refused(
                                        "LIST_META with query length " + length,
                                        Nbd.OPT_LIST_META_CONTEXT,
                                        patched(contexts, 8 + NbdFixture.DISK.length(), length),
                                        Nbd.REP_ERR_INVALID)));
    }

    static Stream<Refused> wrongCounts() {
        byte[] contexts = Wire.contexts(NbdFixture.DISK, "base:allocation");
        return IntStream.of(0, 2, 4097, Integer.MAX_VALUE, Integer.MIN_VALUE, -1)
                .mapToObj(count ->
                        new Refused(
                                "LIST_META with " + count + " queries",
                                Nbd.OPT_LIST_META_CONTEXT,
                                patched(contexts, 4 + NbdFixture.DISK.length(), count),
                                Nbd.REP_ERR_INVALID));
    }

    @ParameterizedTest
    @MethodSource({"refusedOptions", "wrongInnerLengths", "wrongCounts"})
    void refusedOptionIsAnsweredAndTheStreamStaysInStep(Refused row) {
        try (RawClient client = fixture.connect().hello()) {
            client.option(row.option(), row.data());

            RawClient.OptionReply reply = client.reply();
            assertThat(reply.type()).as(reply.text()).isEqualTo(row.answer());
            assertThat(reply.option()).isEqualTo(row.option());
            assertThat(reply.data().length).isBetween(1, Nbd.MAX_STRING);
            assertThat(reply.text()).doesNotContainPattern("\\p{Cntrl}");
            client.structured().go(NbdFixture.DISK);
        }
    }

    @SuppressWarnings("ArrayRecordComponent")
    record Dropped(String rule, int clientFlags, byte[] bytes) {
        @Override
        public String toString() {
            return rule;
        }
    }

    static Stream<Dropped> drops() {
        return Stream.of(
                new Dropped("unknown client flag", 4 | 3, NONE),
                new Dropped("all client flags", -1, NONE),
                new Dropped("bad option magic", 3, new byte[16]),
                new Dropped("bad magic is seen at once", 3, new byte[8]),
                new Dropped(
                        "1 MiB + 1 of option data", 3, Wire.optionHeader(99, (1 << 20) + 1, NONE)),
                new Dropped("2 GiB of option data", 3, Wire.optionHeader(7, 1L << 31, NONE)),
                new Dropped("4 GiB of option data", 3, Wire.optionHeader(7, -1, NONE)),
                new Dropped(
                        "EXPORT_NAME of nothing",
                        3,
                        Wire.option(1, "x".getBytes(StandardCharsets.UTF_8))),
                new Dropped(
                        "EXPORT_NAME of another incarnation",
                        3,
                        Wire.option(
                                1,
                                (NbdFixture.DISK + "@incarnation=2")
                                        .getBytes(StandardCharsets.UTF_8))),
                new Dropped("EXPORT_NAME of 4097", 3, Wire.option(1, new byte[4097])),
                new Dropped("EXPORT_NAME of 65537", 3, Wire.option(1, new byte[65537])),
                new Dropped("LIST without fixed newstyle", 0, Wire.option(3, NONE)),
                new Dropped("STARTTLS without fixed newstyle", 2, Wire.option(5, NONE)));
    }

    @ParameterizedTest
    @MethodSource("drops")
    void whatHasNoAnswerEndsTheConnection(Dropped row) {
        try (RawClient client = fixture.connect().hello(row.clientFlags())) {
            client.sendQuietly(row.bytes());

            client.expectEnd();
        }
    }

    @Test
    void listShowsEveryExport() {
        try (RawClient client = fixture.connect().hello()) {
            client.option(Nbd.OPT_LIST, NONE);

            for (String name :
                    new String[] {NbdFixture.HUGE, NbdFixture.DISK, NbdFixture.READ_ONLY}) {
                RawClient.OptionReply reply = client.reply();
                assertThat(reply.type()).isEqualTo(Nbd.REP_SERVER);
                assertThat(ByteBuffer.wrap(reply.data()).getInt()).isEqualTo(name.length());
                assertThat(reply.text().substring(4)).startsWith(name).endsWith("in memory");
            }
            assertThat(client.reply().type()).isEqualTo(Nbd.REP_ACK);
        }
    }

    @Test
    void listIsRefusedWhereExportsAreHidden() throws IOException {
        try (NbdFixture hiding =
                        new NbdFixture(NbdLimits.defaults(), new ExportManners(false, false));
                RawClient client = hiding.connect().hello()) {
            client.option(Nbd.OPT_LIST, NONE);

            assertThat(client.reply().type()).isEqualTo(Nbd.REP_ERR_POLICY);
            client.option(Nbd.OPT_LIST, new byte[1]);
            assertThat(client.reply().type()).isEqualTo(Nbd.REP_ERR_INVALID);
            client.go(NbdFixture.DISK);
        }
    }

    @Test
    void rotatingDisksAreToldAsSuch() throws IOException {
        byte[] name = NbdFixture.DISK.getBytes(StandardCharsets.UTF_8);
        try (NbdFixture rotating =
                        new NbdFixture(NbdLimits.defaults(), new ExportManners(true, true));
                RawClient client = rotating.connect().hello();
                RawClient byName = rotating.connect().hello()) {
            for (int option : new int[] {Nbd.OPT_INFO, Nbd.OPT_GO}) {
                client.option(option, Wire.query(NbdFixture.DISK));
                int flags = ByteBuffer.wrap(client.reply().data()).getShort(10);
                assertThat(flags & ~Nbd.ROTATIONAL).isEqualTo(0b1101_0110_1101);
                assertThat(flags & Nbd.ROTATIONAL).isNotZero();
                assertThat(client.reply().type()).isEqualTo(Nbd.REP_ACK);
            }
            byName.option(Nbd.OPT_EXPORT_NAME, name);
            assertThat(byName.receive(10).getShort(8) & Nbd.ROTATIONAL).isNotZero();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "01", "0000000000000001"})
    void exportIsHadUnderItsIncarnation(String incarnation) {
        String name = NbdFixture.DISK + "@incarnation=" + incarnation;
        try (RawClient client = fixture.connect().hello().structured();
                RawClient byName = fixture.connect().hello()) {
            client.selectAllocation(name).go(name).request(Nbd.CMD_BLOCK_STATUS, 0, 1, 0, 4096);
            byName.option(Nbd.OPT_EXPORT_NAME, name.getBytes(StandardCharsets.UTF_8));

            assertThat(client.answer().error()).isZero();
            assertThat(byName.receive(10).getLong()).isEqualTo(NbdFixture.SIZE);
        }
    }

    @Test
    void abortIsAcknowledgedWithAnyData() {
        try (RawClient client = fixture.connect().hello()) {
            client.option(Nbd.OPT_ABORT, new byte[33]);

            assertThat(client.reply().type()).isEqualTo(Nbd.REP_ACK);
            client.expectEnd();
        }
    }

    @Test
    void infoAnswersWhatIsAskedAndGoTheSame() {
        try (RawClient client = fixture.connect().hello()) {
            for (int option : new int[] {Nbd.OPT_INFO, Nbd.OPT_GO}) {
                client.option(option, Wire.query(NbdFixture.DISK, 3, 2, 1, 99));

                ByteBuffer export = ByteBuffer.wrap(client.reply().data());
                assertThat(export.getShort()).isZero();
                assertThat(export.getLong()).isEqualTo(NbdFixture.SIZE);
                assertThat((int) export.getShort()).isEqualTo(0b1101_0110_1101);
                assertThat(client.reply().text()).isEqualTo("\0\u0001" + NbdFixture.DISK);
                assertThat(client.reply().text()).isEqualTo("\0\u0002in memory");
                ByteBuffer sizes = ByteBuffer.wrap(client.reply().data(), 2, 12);
                assertThat(sizes.getInt()).isEqualTo(1);
                assertThat(sizes.getInt()).isEqualTo(4096);
                assertThat(sizes.getInt()).isEqualTo(32 << 20);
                assertThat(client.reply().type()).isEqualTo(Nbd.REP_ACK);
            }
        }
    }

    @Test
    void readOnlyExportOffersNoChanges() {
        try (RawClient client = fixture.connect().hello().structured()) {
            client.option(Nbd.OPT_INFO, Wire.query(NbdFixture.READ_ONLY));

            short flags = ByteBuffer.wrap(client.reply().data()).getShort(10);
            assertThat((int) flags).isEqualTo(0b0101_1000_1111);
        }
    }

    @Test
    void exportNameAnswersWithOrWithoutZeroes() {
        for (int flags : new int[] {0, 1, 2, 3}) {
            try (RawClient client = fixture.connect().hello(flags)) {
                client.option(
                        Nbd.OPT_EXPORT_NAME, NbdFixture.DISK.getBytes(StandardCharsets.UTF_8));

                assertThat(client.receive(10).getLong()).isEqualTo(NbdFixture.SIZE);
                if ((flags & 2) == 0) {
                    assertThat(client.receive(124).array()).containsOnly(0);
                }
                client.request(Nbd.CMD_FLUSH, 0, 9, 0, 0);
                assertThat(client.answer().cookie()).isEqualTo(9);
            }
        }
    }

    @Test
    void goNeverSendsZeroes() {
        try (RawClient client = fixture.connect().hello(1).go(NbdFixture.DISK)) {
            client.request(Nbd.CMD_FLUSH, 0, 9, 0, 0);

            assertThat(client.answer().cookie()).isEqualTo(9);
        }
    }

    @Test
    void secondStructuredReplyIsInvalid() {
        try (RawClient client = fixture.connect().hello().structured()) {
            client.option(Nbd.OPT_STRUCTURED_REPLY, NONE);

            assertThat(client.reply().type()).isEqualTo(Nbd.REP_ERR_INVALID);
        }
    }

    @Test
    void listMetaKnowsOneContext() {
        try (RawClient client = fixture.connect().hello()) {
            String[][] shown = {{}, {"base:"}, {"x:y", "base:allocation"}};
            for (String[] queries : shown) {
                client.option(Nbd.OPT_LIST_META_CONTEXT, Wire.contexts(NbdFixture.DISK, queries));
                assertThat(client.reply().text()).endsWith("base:allocation");
                assertThat(client.reply().type()).isEqualTo(Nbd.REP_ACK);
            }
            client.option(
                    Nbd.OPT_LIST_META_CONTEXT,
                    Wire.contexts(NbdFixture.DISK, "base:else", "qemu:", "base:alloc", ""));
            assertThat(client.reply().type()).isEqualTo(Nbd.REP_ACK);
        }
    }

    @Test
    void contextsThatAreNotSelectedForThisExportAreNotThere() {
        String disk = NbdFixture.DISK;
        byte[][] lastSelections = {
            Wire.contexts(disk),
            Wire.contexts(disk, "base:"),
            Wire.contexts(NbdFixture.HUGE, "base:allocation"),
            Wire.contexts("nothing", "base:allocation"),
            patched(Wire.contexts(disk, "base:allocation"), 0, 4097)
        };
        for (byte[] selection : lastSelections) {
            try (RawClient client = fixture.connect().hello().structured().selectAllocation(disk)) {
                client.option(Nbd.OPT_SET_META_CONTEXT, selection);
                while (client.reply().type() == Nbd.REP_META_CONTEXT) {
                    // The next one ends the answer.
                }
                client.go(disk).request(Nbd.CMD_BLOCK_STATUS, 0, 1, 0, 4096);

                assertThat(client.answer().error()).isEqualTo(NbdErrors.EINVAL);
            }
        }
    }

    @Test
    void endlessOptionsEnd() {
        try (RawClient client = fixture.connect().hello()) {
            byte[] option = Wire.option(99, NONE);
            for (int i = 0; i < 300; i++) {
                client.sendQuietly(option);
            }

            client.awaitEnd();
        }
    }

    @Test
    void everythingMayComeInOnePiece() {
        byte[] all =
                Wire.join(
                        new byte[] {0, 0, 0, 3},
                        Wire.option(Nbd.OPT_INFO, Wire.query("nothing")),
                        Wire.option(Nbd.OPT_GO, Wire.query(NbdFixture.DISK)),
                        Wire.write(0, 1, 4096, new byte[8192]),
                        Wire.request(Nbd.CMD_READ, 0, 2, 4096, 4096),
                        Wire.request(Nbd.CMD_DISC, 0, 3, 0, 0));
        for (int i = 0; i < 50; i++) {
            try (RawClient client = fixture.connect().send(all)) {
                if (i % 2 == 0) {
                    client.halfClose();
                }
                client.receive(18);
                assertThat(client.reply().type()).isEqualTo(Nbd.REP_ERR_UNKNOWN);
                assertThat(client.reply().type()).isEqualTo(Nbd.REP_INFO);
                assertThat(client.reply().type()).isEqualTo(Nbd.REP_ACK);
                long first = client.answer(cookie -> cookie == 2 ? 4096 : 0).cookie();
                long second = client.answer(cookie -> cookie == 2 ? 4096 : 0).cookie();
                assertThat(first + second).isEqualTo(3);
                client.expectEnd();
            }
        }
    }

    @Test
    void everythingMayComeByteByByte() {
        byte[] all =
                Wire.join(
                        new byte[] {0, 0, 0, 3},
                        Wire.option(Nbd.OPT_GO, Wire.query(NbdFixture.DISK)),
                        Wire.write(0, 1, 4095, new byte[3]),
                        Wire.request(Nbd.CMD_FLUSH, 0, 2, 0, 0));
        try (RawClient client = fixture.connect()) {
            for (byte next : all) {
                client.send(new byte[] {next});
            }
            client.receive(18);
            assertThat(client.reply().type()).isEqualTo(Nbd.REP_INFO);
            assertThat(client.reply().type()).isEqualTo(Nbd.REP_ACK);
            assertThat(client.answer().cookie()).isEqualTo(1);
            assertThat(client.answer().cookie()).isEqualTo(2);
        }
    }

    @Test
    void refusedExportIsAPolicyErrorAndTheHandshakeGoesOn() {
        fixture.huge.refuse("held by somebody else");
        try (RawClient client = fixture.connect().hello()) {
            client.option(Nbd.OPT_GO, Wire.query(NbdFixture.HUGE));
            RawClient.OptionReply reply = client.reply();

            assertThat(reply.type()).isEqualTo(Nbd.REP_ERR_POLICY);
            assertThat(reply.text()).isEqualTo("held by somebody else");
            client.structured().go(NbdFixture.DISK);
        } finally {
            fixture.huge.refuse("");
        }
    }

    private static byte[] patched(byte[] bytes, int at, int value) {
        return ByteBuffer.wrap(bytes.clone()).putInt(at, value).array();
    }

    private static byte[] cut(byte[] bytes, int count) {
        return java.util.Arrays.copyOf(bytes, bytes.length - count);
    }

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }
}
