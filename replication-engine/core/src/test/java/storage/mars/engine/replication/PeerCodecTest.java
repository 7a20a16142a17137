// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import storage.mars.engine.log.Epoch;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.EpochId;
import storage.mars.engine.log.FieldReader.Malformed;
import storage.mars.engine.log.ReplicaMetadata.Member;
import storage.mars.engine.replication.PeerMessage.BlockData;
import storage.mars.engine.replication.PeerMessage.Hello;
import storage.mars.engine.replication.PeerMessage.LogData;
import storage.mars.engine.replication.PeerMessage.Refused;

/** docs/format/replication.md, byte by byte; the files of peer-format/v1 are its examples. */
class PeerCodecTest {

    private static final int ROUNDS = 300;
    private static final int GARBAGE = 200_000;
    private static final int PAYLOAD_HEAD = 4 + 1 + 8;

    /** Bytes in front of which blocks differ. */
    private static final int BLOCKS_HEAD = 4 + 1 + 8 + 2 + 8 + 4 + 24 + 8 + 1;

    /** What one message may cost beside its own size: its exception, decoder and records. */
    private static final long FIXED_COST = 16_384;

    private final PeerCodec codec = new PeerCodec();

    static List<String> files() {
        return PeerMessages.GOLDEN.keySet().stream().sorted().toList();
    }

    static List<Class<?>> types() {
        return List.of(PeerMessage.class.getPermittedSubclasses());
    }

    @ParameterizedTest
    @MethodSource("files")
    void eachMessageIsEncodedAndDecodedAsItsFileSays(String name) throws Exception {
        PeerMessage message = golden(name);
        byte[] file = read(name);

        assertThat(HexFormat.of().formatHex(encoded(message)))
                .isEqualTo(HexFormat.of().formatHex(file));
        assertThat(codec.decode(ByteBuffer.wrap(file))).isEqualTo(message);
    }

    @Test
    void everyFileIsThatOfAMessageAndEveryTypeHasOne() throws Exception {
        try (Stream<Path> found = Files.list(directory())) {
            assertThat(found.map(path -> path.getFileName().toString().replace(".hex", "")))
                    .containsExactlyInAnyOrderElementsOf(files());
        }
        assertThat(PeerMessages.GOLDEN.values().stream().map(PeerMessage::getClass).distinct())
                .containsExactlyInAnyOrderElementsOf(
                        types().stream()
                                .<Class<? extends PeerMessage>>map(
                                        type -> type.asSubclass(PeerMessage.class))
                                .toList());
    }

    @ParameterizedTest
    @MethodSource("types")
    void anyMessageIsTheSameAfterEncodingAndDecoding(Class<? extends PeerMessage> type)
            throws Malformed {
        for (int seed = 0; seed < ROUNDS; seed++) {
            PeerMessage message = new PeerMessages(seed).next(type);

            assertThat(codec.decode(ByteBuffer.wrap(encoded(message))))
                    .as("seed %d", seed)
                    .isEqualTo(message);
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void aMessageThatEndsAnywhereEarlierIsRefused(String name) throws IOException {
        byte[] whole = read(name);
        // The frames of a LOG reach to the end of the message, wherever that is.
        int most = name.equals("log") ? PAYLOAD_HEAD : whole.length;
        for (int length = 0; length < most; length++) {
            byte[] cut = Arrays.copyOf(whole, length);

            assertThatExceptionOfType(Malformed.class)
                    .as("%d of %d bytes", length, whole.length)
                    .isThrownBy(() -> codec.decode(ByteBuffer.wrap(cut)));
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void aMessageWithAByteTooManyIsRefused(String name) throws Exception {
        byte[] whole = read(name);
        byte[] longer = Arrays.copyOf(whole, whole.length + 1);

        if (name.equals("log")) {
            assertThat(codec.decode(ByteBuffer.wrap(longer))).isInstanceOf(LogData.class);
        } else {
            assertThatThrownBy(() -> codec.decode(ByteBuffer.wrap(longer)))
                    .isInstanceOf(Malformed.class);
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void eachFlippedBitIsRefusedOrMeansAnotherMessageThatIsWrittenLikeThat(String name)
            throws IOException {
        byte[] whole = read(name);
        for (int bit = 0; bit < whole.length * 8; bit++) {
            byte[] flipped = whole.clone();
            flipped[bit / 8] ^= (byte) (1 << bit % 8);

            PeerMessage message = understood(flipped, "bit " + bit);

            assertThat(message).as("bit %d", bit).isNotEqualTo(golden(name));
            if (bit < 32) {
                assertThat(message).as("bit %d of the magic", bit).isNull();
            }
        }
    }

    @Test
    void garbageIsRefusedOrMeansAMessageThatIsWrittenLikeThat() {
        SplittableRandom random = new SplittableRandom(20);
        int messages = 0;
        for (int i = 0; i < GARBAGE; i++) {
            byte[] bytes = new byte[5 + random.nextInt(random.nextInt(4) == 0 ? 600 : 60)];
            random.nextBytes(bytes);
            if (random.nextBoolean()) {
                // Small numbers, as lengths, counts and flags are.
                for (int at = 0; at < bytes.length; at++) {
                    bytes[at] &= (byte) (random.nextInt(3) == 0 ? 1 : 0);
                }
            }
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(PeerCodec.MAGIC);
            bytes[4] = (byte) random.nextInt(20);

            messages += understood(bytes, "round " + i) == null ? 0 : 1;
        }

        assertThat(messages).as("some of the garbage is a message").isGreaterThan(GARBAGE / 100);
    }

    /** Two bytes of 0xff anywhere: whatever length or count they hit claims more than there is. */
    @ParameterizedTest
    @MethodSource("files")
    void nothingIsAllocatedForBytesThatAreNotThere(String name) throws IOException {
        byte[] whole = read(name);
        for (int at = 5; at + 2 <= whole.length; at++) {
            byte[] claiming = whole.clone();
            claiming[at] = (byte) 0xff;
            claiming[at + 1] = (byte) 0xff;

            // The first call may load classes.
            allocatedBy(claiming);
            assertThat(allocatedBy(claiming))
                    .as("at byte %d", at)
                    .isLessThan(FIXED_COST + 16L * whole.length);
        }
    }

    @Test
    void listsAreBoundedWhateverTheyClaim() throws Exception {
        Hello hello = (Hello) golden("hello");
        Member member = new Member(1, "", "", true);
        List<Member> most = Collections.nCopies(64, member);
        List<Member> tooMany = Collections.nCopies(65, member);

        assertThat(codec.decode(ByteBuffer.wrap(encoded(with(hello, hello.history(), most)))))
                .isEqualTo(with(hello, hello.history(), most));
        assertThatThrownBy(() ->
                        codec.decode(
                                ByteBuffer.wrap(encoded(with(hello, hello.history(), tooMany)))))
                .isInstanceOf(Malformed.class)
                .hasMessageContaining("65");
    }

    @Test
    void theLargestHelloFitsIntoAFirstMessage() throws Malformed {
        EpochHistory longest =
                new EpochHistory(
                        IntStream.range(0, EpochHistory.MAX_EPOCHS)
                                .mapToObj(i ->
                                        new Epoch(
                                                new EpochId(1, i, -i),
                                                7,
                                                i * 4096L,
                                                (i + 1) * 4096L))
                                .toList());
        Member longNamed = new Member(-1, "n".repeat(63), "h".repeat(253) + ":65535", true);
        Hello largest = with((Hello) golden("hello"), longest, Collections.nCopies(64, longNamed));

        byte[] bytes = encoded(largest);

        assertThat(bytes.length).isLessThan(256 << 10);
        assertThat(codec.decode(ByteBuffer.wrap(bytes))).isEqualTo(largest);
    }

    @Test
    void aHistoryThatContradictsItselfIsRefused() throws IOException {
        byte[] bytes = read("sync-needed");
        // The start of the second epoch: behind magic, type, start, chain, count and 48 + 32 bytes.
        int start = 4 + 1 + 8 + 16 + 2 + 48 + 32;
        bytes[start + 2] ^= 1;

        assertThatThrownBy(() -> codec.decode(ByteBuffer.wrap(bytes)))
                .isInstanceOf(Malformed.class)
                .hasMessageContaining("does not follow");
    }

    @Test
    void blocksCarryAsManyBytesAsTheySay() throws IOException {
        byte[] bytes = read("blocks");
        bytes[BLOCKS_HEAD] = 0;

        assertThatThrownBy(() -> codec.decode(ByteBuffer.wrap(bytes)))
                .isInstanceOf(Malformed.class)
                .hasMessage("0 blocks in 4096 bytes");
    }

    @Test
    void blocksBeyondTheRangeAreNone() throws IOException {
        byte[] bytes = read("blocks");
        bytes[BLOCKS_HEAD] = 0b10;

        assertThatThrownBy(() -> codec.decode(ByteBuffer.wrap(bytes)))
                .isInstanceOf(Malformed.class)
                .hasMessage("bit 1 of 1");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 4095, -4096, (1 << 20) + 4096})
    void aRangeIsOfWholeBlocksAndNotLong(int length) throws IOException {
        for (String name : List.of("read-blocks", "blocks", "blocks-zero")) {
            ByteBuffer bytes = ByteBuffer.wrap(read(name)).order(ByteOrder.LITTLE_ENDIAN);
            bytes.putInt(4 + 1 + 8 + 2 + 8, length);

            assertThatThrownBy(() -> codec.decode(bytes))
                    .isInstanceOf(Malformed.class)
                    .hasMessage("a range of " + length + " bytes");
        }
    }

    @Test
    void digestsAreOneForEachBlock() throws IOException {
        byte[] bytes = read("read-blocks-digests");

        assertThatThrownBy(() -> codec.decode(ByteBuffer.wrap(bytes, 0, bytes.length - 16)))
                .isInstanceOf(Malformed.class)
                .hasMessage("digests of 16 bytes, not 32");
    }

    @Test
    void digestsOutliveTheMessageThatHasBroughtThem() throws Exception {
        byte[] bytes = read("read-blocks-digests");
        PeerMessage message = codec.decode(ByteBuffer.wrap(bytes));
        Arrays.fill(bytes, (byte) 0);

        assertThat(message).isEqualTo(golden("read-blocks-digests"));
    }

    @Test
    void aMessageOfAnotherVersionIsRefusedAsSuch() throws IOException {
        byte[] bytes = read("pull");
        bytes[3] = '2';

        assertThatThrownBy(() -> codec.decode(ByteBuffer.wrap(bytes)))
                .isInstanceOf(Malformed.class)
                .hasMessage("not a message of this protocol version");
    }

    @Test
    void logThatIsPutBehindItsHeadIsALogMessage() {
        LogData log = (LogData) golden("log");

        codec.beginLog(log.position()).put(log.bytes().duplicate());
        ByteBuffer message = codec.endLog();
        byte[] bytes = new byte[message.remaining()];
        message.get(bytes);

        assertThat(bytes).isEqualTo(encoded(log));
    }

    @Test
    void decodingLeavesTheBytesAsTheyAreAndLooksAtTheRemainingOnesOnly() throws Exception {
        byte[] whole = read("blocks");
        ByteBuffer within =
                ByteBuffer.allocate(whole.length + 10).position(3).limit(whole.length + 3);
        within.put(whole).position(3);

        PeerMessage message = codec.decode(within);

        assertThat(message).isEqualTo(golden("blocks"));
        assertThat(within.position()).isEqualTo(3);
        assertThat(((BlockData) message).bytes().remaining()).isEqualTo(4096);
    }

    @Test
    void onlyHelloAndJoinRequestBeginAConversation() throws IOException {
        Map<String, @Nullable String> resources = new TreeMap<>();
        for (String name : files()) {
            resources.put(name, PeerCodec.resourceOf(ByteBuffer.wrap(read(name))));
        }

        assertThat(resources.entrySet().stream().filter(e -> e.getValue() != null))
                .containsExactly(Map.entry("hello", "shop"), Map.entry("join-request", "shop"));
    }

    @Test
    void whatIsNoMessageBeginsNoConversation() throws IOException {
        byte[] hello = read("hello");
        TreeSet<Integer> begun = new TreeSet<>();
        for (int length = 0; length < hello.length; length++) {
            if (PeerCodec.resourceOf(ByteBuffer.wrap(hello, 0, length)) != null) {
                begun.add(length);
            }
        }
        hello[0]++;

        assertThat(begun).isEmpty();
        assertThat(PeerCodec.resourceOf(ByteBuffer.wrap(hello))).isNull();
    }

    @Test
    void oneCodecEncodesShorterMessagesAfterLongerOnes() throws Exception {
        encoded(golden("hello"));

        assertThat(encoded(new Refused(""))).hasSize(7);
    }

    /** The message, or null when it is refused; what is understood would be written the same. */
    private @Nullable PeerMessage understood(byte[] bytes, String which) {
        PeerMessage message;
        try {
            message = codec.decode(ByteBuffer.wrap(bytes));
        } catch (Malformed e) {
            return null;
        } catch (RuntimeException e) {
            throw new AssertionError(
                    which + " of " + HexFormat.of().formatHex(bytes) + " throws " + e, e);
        }
        assertThat(encoded(message)).as(which).isEqualTo(bytes);
        return message;
    }

    private long allocatedBy(byte[] bytes) {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        ByteBuffer message = ByteBuffer.wrap(bytes);
        long before = threads.getCurrentThreadAllocatedBytes();
        try {
            codec.decode(message);
        } catch (Malformed e) {
            // As expected of most.
        }
        return threads.getCurrentThreadAllocatedBytes() - before;
    }

    private static Hello with(Hello h, EpochHistory history, List<Member> members) {
        return new Hello(
                h.dialled(),
                h.resourceId(),
                h.resourceName(),
                h.replicaId(),
                h.replicaName(),
                h.address(),
                h.primary(),
                h.state(),
                h.highestTerm(),
                h.openTerm(),
                h.incarnation(),
                history,
                h.durable(),
                h.applied(),
                h.checkpoint(),
                h.consistent(),
                h.syncedBytes(),
                h.syncTotalBytes(),
                h.shippingPaused(),
                h.wallMicros(),
                members);
    }

    private static PeerMessage golden(String name) {
        return Objects.requireNonNull(PeerMessages.GOLDEN.get(name));
    }

    private byte[] encoded(PeerMessage message) {
        ByteBuffer out = codec.encode(message);
        byte[] bytes = new byte[out.remaining()];
        out.get(bytes);
        return bytes;
    }

    private static Path directory() throws URISyntaxException {
        return Path.of(
                Objects.requireNonNull(PeerCodecTest.class.getResource("/peer-format/v1")).toURI());
    }

    /** Lines of a field's name and its bytes. */
    private static byte[] read(String name) throws IOException {
        try (var in = PeerCodecTest.class.getResourceAsStream("/peer-format/v1/" + name + ".hex")) {
            String text =
                    new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
            return HexFormat.of()
                    .parseHex(
                            text.lines()
                                    .filter(line -> !line.startsWith("#"))
                                    .map(line -> line.substring(line.lastIndexOf(' ') + 1))
                                    .collect(Collectors.joining()));
        }
    }
}
