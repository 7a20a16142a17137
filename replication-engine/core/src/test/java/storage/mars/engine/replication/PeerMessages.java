// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replication;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.function.Supplier;
import storage.mars.engine.log.Chain;
import storage.mars.engine.log.Epoch;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.EpochId;
import storage.mars.engine.log.ReplicaMetadata.Grant;
import storage.mars.engine.log.ReplicaMetadata.Member;
import storage.mars.engine.log.ReplicaMetadata.VolumeShape;

/** Messages to test with: the one behind each file of peer-format/v1, and any number by chance. */
final class PeerMessages {

    /** One of each type, by the name of its file. */
    static final Map<String, PeerMessage> GOLDEN =
            Map.ofEntries(
                    Map.entry("hello", hello()),
                    Map.entry("pull", new PeerMessage.Pull(0x9000, link(), 0x809000)),
                    Map.entry("credit", new PeerMessage.Credit(0xc09000)),
                    Map.entry(
                            "sync-needed",
                            new PeerMessage.SyncNeeded(
                                    0x20000, link(), history(), "gone: ä", null)),
                    Map.entry(
                            "sync-needed-laid-down",
                            new PeerMessage.SyncNeeded(
                                    0x20000, link(), history(), "", new Grant(-9, 3))),
                    Map.entry("log", new PeerMessage.LogData(0x9000, bytes(1, 32))),
                    Map.entry("position", new PeerMessage.Position(0x9000, 0x8000, 0x7000)),
                    Map.entry("read-blocks", readBlocks(0x100000, bytes(0, 0))),
                    Map.entry("read-blocks-digests", readBlocks(0x2000, bytes(0xa0, 32))),
                    Map.entry("blocks", blocks(0x1000, false, 0b1, bytes(0xf0, 0x1000))),
                    Map.entry("blocks-same", blocks(0xa000, false, 0, bytes(0, 0))),
                    Map.entry("blocks-zero", blocks(0x100000, true, 0, bytes(0, 0))),
                    Map.entry(
                            "blocks-unavailable",
                            new PeerMessage.BlocksUnavailable(4, "not consistent")),
                    Map.entry(
                            "join-request",
                            new PeerMessage.JoinRequest("shop", 9, "b", "10.0.0.2:7102")),
                    Map.entry("join-accepted", joinAccepted()),
                    Map.entry("refused", new PeerMessage.Refused("shop is not primary here")),
                    Map.entry("leave", new PeerMessage.Leave(9)),
                    Map.entry("leave-accepted", new PeerMessage.LeaveAccepted(9)),
                    Map.entry("handover-request", new PeerMessage.HandoverRequest(2, true)),
                    Map.entry("granted", new PeerMessage.Granted(3, 0xb000)));

    private final SplittableRandom random;

    PeerMessages(long seed) {
        random = new SplittableRandom(seed);
    }

    /** A message of type {@code kind}, one of as many as there are types. */
    PeerMessage next(Class<? extends PeerMessage> kind) {
        return Objects.requireNonNull(ANY.get(kind)).apply(this);
    }

    private static final Map<Class<?>, Function<PeerMessages, PeerMessage>> ANY =
            Map.ofEntries(
                    Map.entry(PeerMessage.Hello.class, PeerMessages::anyHello),
                    Map.entry(
                            PeerMessage.Pull.class,
                            m -> new PeerMessage.Pull(m.count(), m.anyLink(), m.count())),
                    Map.entry(PeerMessage.Credit.class, m -> new PeerMessage.Credit(m.count())),
                    Map.entry(
                            PeerMessage.SyncNeeded.class,
                            m ->
                                    new PeerMessage.SyncNeeded(
                                            m.count(),
                                            m.anyLink(),
                                            m.anyHistory(),
                                            m.text(),
                                            m.flag() ? new Grant(m.id(), m.count()) : null)),
                    Map.entry(
                            PeerMessage.LogData.class,
                            m -> new PeerMessage.LogData(m.count(), m.anyBytes(0))),
                    Map.entry(
                            PeerMessage.Position.class,
                            m -> new PeerMessage.Position(m.count(), m.count(), m.count())),
                    Map.entry(PeerMessage.ReadBlocks.class, PeerMessages::anyReadBlocks),
                    Map.entry(PeerMessage.BlockData.class, PeerMessages::anyBlocks),
                    Map.entry(
                            PeerMessage.BlocksUnavailable.class,
                            m -> new PeerMessage.BlocksUnavailable(m.id(), m.text())),
                    Map.entry(
                            PeerMessage.JoinRequest.class,
                            m -> new PeerMessage.JoinRequest(m.text(), m.id(), m.text(), m.text())),
                    Map.entry(PeerMessage.JoinAccepted.class, PeerMessages::anyJoinAccepted),
                    Map.entry(PeerMessage.Refused.class, m -> new PeerMessage.Refused(m.text())),
                    Map.entry(PeerMessage.Leave.class, m -> new PeerMessage.Leave(m.id())),
                    Map.entry(
                            PeerMessage.LeaveAccepted.class,
                            m -> new PeerMessage.LeaveAccepted(m.id())),
                    Map.entry(
                            PeerMessage.HandoverRequest.class,
                            m -> new PeerMessage.HandoverRequest(m.count(), m.flag())),
                    Map.entry(
                            PeerMessage.Granted.class,
                            m -> new PeerMessage.Granted(m.count(), m.count())));

    private static PeerMessage.Hello hello() {
        return new PeerMessage.Hello(
                true,
                -3,
                "shop",
                7,
                "a",
                "10.0.0.1:7101",
                true,
                "Serving",
                2,
                0,
                -5,
                history(),
                0x9000,
                0x8000,
                0x7000,
                true,
                5,
                6,
                false,
                1700000000000000L,
                members());
    }

    private static PeerMessage.JoinAccepted joinAccepted() {
        return new PeerMessage.JoinAccepted(
                -3,
                "shop",
                64 << 20,
                List.of(new VolumeShape(0, "data", 1L << 30), new VolumeShape(1, "wal", 1L << 28)),
                members(),
                history(),
                2,
                -5,
                0x20000,
                link());
    }

    private static PeerMessage.ReadBlocks readBlocks(int length, ByteBuffer digests) {
        return new PeerMessage.ReadBlocks(-1, 15, 0x40000000L, length, 0x9000, digests);
    }

    private static PeerMessage.BlockData blocks(
            int length, boolean zero, long differing, ByteBuffer bytes) {
        return new PeerMessage.BlockData(
                -1,
                15,
                0x40000000L,
                length,
                new EpochId(2, 3, 0x2222),
                0xa000,
                zero,
                BitSet.valueOf(new long[] {differing}),
                bytes);
    }

    private static EpochHistory history() {
        return new EpochHistory(
                List.of(
                        new Epoch(new EpochId(1, 0, 0x1111), 7, 0, 0x5000),
                        new Epoch(new EpochId(2, 3, 0x2222), 9, 0x5000, Epoch.OPEN)));
    }

    private static Chain.Link link() {
        return new Chain.Link(0x0102030405060708L, -2);
    }

    private static List<Member> members() {
        return List.of(
                new Member(7, "a", "10.0.0.1:7101", true),
                new Member(9, "b", "10.0.0.2:7102", false));
    }

    private static ByteBuffer bytes(long first, int count) {
        ByteBuffer bytes = ByteBuffer.allocate(count);
        for (int i = 0; i < count; i++) {
            bytes.put((byte) (first + i));
        }
        return bytes.flip();
    }

    private PeerMessage anyHello() {
        return new PeerMessage.Hello(
                flag(),
                id(),
                text(),
                id(),
                text(),
                text(),
                flag(),
                text(),
                count(),
                count(),
                id(),
                anyHistory(),
                count(),
                count(),
                count(),
                flag(),
                count(),
                count(),
                flag(),
                id(),
                some(64, this::anyMember));
    }

    private PeerMessage anyJoinAccepted() {
        return new PeerMessage.JoinAccepted(
                id(),
                text(),
                i32(),
                some(16, () -> new VolumeShape(u16(), text(), count())),
                some(64, this::anyMember),
                anyHistory(),
                count(),
                id(),
                count(),
                anyLink());
    }

    private PeerMessage anyReadBlocks() {
        int blocks = 1 + random.nextInt(256);
        ByteBuffer digests = bytes(id(), flag() ? blocks * 16 : 0);
        return new PeerMessage.ReadBlocks(id(), u16(), count(), blocks << 12, count(), digests);
    }

    private PeerMessage anyBlocks() {
        boolean zero = flag();
        int blocks = 1 + random.nextInt(256);
        BitSet differing = new BitSet();
        for (int i = 0; i < blocks && !zero; i++) {
            differing.set(i, random.nextInt(8) == 0);
        }
        return new PeerMessage.BlockData(
                id(),
                u16(),
                count(),
                blocks << 12,
                new EpochId(count(), count(), id()),
                count(),
                zero,
                differing,
                bytes(id(), differing.cardinality() << 12));
    }

    private Member anyMember() {
        return new Member(id(), text(), text(), flag());
    }

    private Chain.Link anyLink() {
        return new Chain.Link(id(), id());
    }

    private EpochHistory anyHistory() {
        List<Epoch> epochs = new ArrayList<>();
        long term = random.nextInt(9);
        long sequence = 0;
        long start = random.nextInt(1 << 20);
        int count = random.nextInt(20) == 0 ? EpochHistory.MAX_EPOCHS : random.nextInt(6);
        for (int i = 0; i < count; i++) {
            boolean promoted = flag();
            term += promoted ? 1 + random.nextInt(3) : 0;
            sequence = promoted ? 0 : sequence + 1;
            boolean open = i == count - 1 && flag();
            long end = open ? Epoch.OPEN : start + random.nextInt(1 << 20);
            epochs.add(new Epoch(new EpochId(term, sequence, id()), id(), start, end));
            start = end;
        }
        return new EpochHistory(epochs);
    }

    private <T> List<T> some(int most, Supplier<T> one) {
        List<T> list = new ArrayList<>();
        for (int i = random.nextInt(most + 1); i > 0; i--) {
            list.add(one.get());
        }
        return list;
    }

    private String text() {
        int length = random.nextInt(10) == 0 ? random.nextInt(300) : random.nextInt(12);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < length; i++) {
            text.appendCodePoint(flag() ? random.nextInt('0', 'z') : random.nextInt(0xa0, 0xd000));
        }
        return text.toString();
    }

    private ByteBuffer anyBytes(int least) {
        byte[] bytes = new byte[least + random.nextInt(5000)];
        random.nextBytes(bytes);
        return ByteBuffer.wrap(bytes);
    }

    private boolean flag() {
        return random.nextBoolean();
    }

    private int u16() {
        return random.nextInt(1 << 16);
    }

    private int i32() {
        return random.nextInt();
    }

    private long id() {
        return random.nextLong();
    }

    /** Small, large and at the limits. */
    private long count() {
        return switch (random.nextInt(6)) {
            case 0 -> 0;
            case 1 -> Long.MAX_VALUE;
            case 2 -> random.nextLong() >>> 1;
            default -> random.nextInt(1 << 24);
        };
    }
}
