// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.export.Attachment;
import storage.mars.engine.export.AttachmentListener;
import storage.mars.engine.export.ExportRegistry;
import storage.mars.engine.export.Exports;
import storage.mars.engine.fake.FakeFile;
import storage.mars.engine.fake.FakePorts;
import storage.mars.engine.log.Chain;
import storage.mars.engine.log.Epoch;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.EpochId;
import storage.mars.engine.log.FieldReader.Malformed;
import storage.mars.engine.log.LogFormat;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.log.ReplicaMetadata.VolumeShape;
import storage.mars.engine.port.PeerLink;
import storage.mars.engine.port.Ports;
import storage.mars.engine.replication.PeerCodec;
import storage.mars.engine.replication.PeerMessage;
import storage.mars.engine.replication.PeerMessage.BlockData;
import storage.mars.engine.replication.PeerMessage.Hello;
import storage.mars.engine.replication.PeerMessage.JoinAccepted;
import storage.mars.engine.replication.PeerMessage.JoinRequest;
import storage.mars.engine.replication.PeerMessage.ReadBlocks;
import storage.mars.engine.replication.PeerMessage.SyncNeeded;

/**
 * The engine of one replica of r in memory, and members around it that say what a test wants. Where
 * the replica is a secondary, member a is the primary that it has joined.
 */
final class MembersRig {

    static final long RESOURCE = 7;
    static final long VOLUME = 1 << 20;

    /** Where the log of a replica begins that has joined. */
    static final long START = 5L * LogFormat.BLOCK;

    /** Of the exports, as all say who do not say otherwise. */
    static final long INCARNATION = 5;

    static final long A = 1;
    static final long C = 3;
    static final Epoch E1 = new Epoch(new EpochId(1, 0, 11), A, 0, Epoch.OPEN);
    static final EpochHistory FIRST = new EpochHistory(List.of(E1));

    /** Member c has begun a term of its own there. */
    static EpochHistory second(long from) {
        return FIRST.startedAt(from, new EpochId(2, 0, 22), C);
    }

    final FakePorts fake;
    final ExportRegistry exports = new ExportRegistry();
    final ReplicaHost host;
    final Member a = new Member(A, "a");
    final Member c = new Member(C, "c");
    private final PeerCodec codec = new PeerCodec();
    private final Map<String, Member> listening = new LinkedHashMap<>();
    private long entropy = 42;

    /** An engine named {@code name} on what {@code disk} holds, which it has not opened yet. */
    MembersRig(String name, FakePorts disk) {
        fake = disk;
        Ports plain = fake.ports();
        Ports ports =
                new Ports(
                        plain.shard(),
                        plain.clock(),
                        () -> entropy++,
                        plain.storage(),
                        (address, dialer) -> {
                            Member member = listening.get(address);
                            if (member == null) {
                                dialer.failed("connection refused");
                            } else {
                                member.receiver = dialer.connected(member.link());
                            }
                        },
                        plain.offload());
        host =
                new ReplicaHost(
                        ports,
                        new ReplicaSettings(
                                name,
                                name + ":1",
                                7,
                                LogFormat.MIN_SEGMENT,
                                1 << 20,
                                Duration.ofSeconds(1),
                                Duration.ofSeconds(1),
                                ReplicaSettings.DEFAULT_EPOCHS_KEPT),
                        exports,
                        64 << 20);
    }

    /** An engine that has created r and is its primary. */
    static MembersRig primary() {
        MembersRig rig = new MembersRig("a", new FakePorts());
        rig.host.create("r", List.of(new VolumeShape(0, "v", VOLUME)), 0, new MustBeDone());
        rig.fake.run();
        return rig;
    }

    /** An engine that has joined r, and copies it from member a, which has said hello. */
    static MembersRig secondary() {
        MembersRig rig = new MembersRig("b", new FakePorts());
        rig.listening.put("a:1", rig.a);
        rig.host.join("r", "a:1", new MustBeDone());
        rig.fake.run();
        JoinRequest request = rig.a.last(JoinRequest.class);
        rig.a.self = request.replicaId();
        rig.c.self = request.replicaId();
        rig.a.say(
                new JoinAccepted(
                        RESOURCE,
                        "r",
                        LogFormat.MIN_SEGMENT,
                        List.of(new VolumeShape(0, "v", VOLUME)),
                        rig.a.members(),
                        FIRST,
                        1,
                        INCARNATION,
                        START,
                        new Chain.Link(1, 2)));
        rig.a.say(rig.a.primary(FIRST, START));
        return rig;
    }

    /** The copy is complete: a has nothing but zeroes. */
    MembersRig consistent() {
        ReadBlocks asked = a.last(ReadBlocks.class);
        a.say(zeroes(asked, E1.id(), START));
        if (!known().consistent()) {
            throw new AssertionError("not consistent: " + status());
        }
        return this;
    }

    /** A client attaches to the volume, and stays. */
    Attachment attach(String client) {
        Exports.Attached answer =
                Objects.requireNonNull(exports.find("r/v"))
                        .attach(
                                client,
                                new AttachmentListener() {

                                    @Override
                                    public void checkAlive() {}

                                    @Override
                                    public void exportClosing(String reason) {}
                                });
        return switch (answer) {
            case Exports.Attached.Accepted accepted -> accepted.attachment();
            case Exports.Attached.Refused refused -> throw new AssertionError(refused.reason());
        };
    }

    /** The image of the volume, to look at and to damage. */
    FakeFile image() {
        return fake.file(
                fake.names().stream()
                        .filter(name -> name.endsWith("/volume-0.img"))
                        .findFirst()
                        .orElseThrow());
    }

    /** The copy begins anew, as somebody asks who does not keep the log any more. */
    ReadBlocks startOver(long from) {
        a.say(new SyncNeeded(from, new Chain.Link(3, 4), FIRST, "gone", null));
        a.say(a.primary(FIRST, from));
        return a.last(ReadBlocks.class);
    }

    /** A question for the first block, of somebody who has nothing there. */
    static ReadBlocks ask(long request, long received) {
        return new ReadBlocks(request, 0, 0, 4096, received, ByteBuffer.allocate(0));
    }

    /** An answer that all of the range is zero. */
    static BlockData zeroes(ReadBlocks asked, EpochId epoch, long newest) {
        return new BlockData(
                asked.request(),
                asked.volume(),
                asked.offset(),
                asked.length(),
                epoch,
                newest,
                true,
                new BitSet(),
                ByteBuffer.allocate(0));
    }

    ReplicaStatus status() {
        return Objects.requireNonNull(host.status("r"));
    }

    ReplicaStatus.Known known() {
        return Objects.requireNonNull(status().known());
    }

    long durable() {
        return known().positions().durable();
    }

    /** A member that is not there: the other end of a link. */
    final class Member {

        final long id;
        final String name;

        /** Id of the replica that it talks to. */
        long self;

        private final List<PeerMessage> heard = new ArrayList<>();
        private PeerLink.Receiver receiver = new Rejection(new End(this), codec, "not linked");
        private boolean writable = true;

        /** The replica has ended the link. */
        boolean hungUp;

        Member(long id, String name) {
            this.id = id;
            this.name = name;
        }

        private PeerLink link() {
            return new End(this);
        }

        /** Dials; nothing has been said yet. */
        void dial() {
            receiver = host.accept("r", link());
        }

        void listen() {
            listening.put(name + ":1", this);
        }

        void say(PeerMessage message) {
            receiver.received(codec.encode(message));
            fake.run();
        }

        /** The link takes nothing more, or takes more again. */
        void writable(boolean now) {
            writable = now;
            if (now) {
                receiver.writable();
                fake.run();
            }
        }

        void hangUp() {
            receiver.closed("ended");
            fake.run();
        }

        <T> List<T> all(Class<T> kind) {
            return heard.stream().filter(kind::isInstance).map(kind::cast).toList();
        }

        <T> T last(Class<T> kind) {
            return all(kind).getLast();
        }

        void forget() {
            heard.clear();
        }

        /** Becomes a member, and says that it holds all of the log. */
        JoinAccepted join() {
            dial();
            say(new JoinRequest("r", id, name, name + ":1"));
            JoinAccepted accepted = last(JoinAccepted.class);
            say(hello(accepted, accepted.start()));
            return accepted;
        }

        /** As a secondary that has been accepted so. */
        Hello hello(JoinAccepted as, long durable) {
            return hello(as, false, 0, as.history(), as.highestTerm(), durable);
        }

        Hello hello(
                JoinAccepted as,
                boolean primary,
                long openTerm,
                EpochHistory history,
                long highestTerm,
                long durable) {
            return new Hello(
                    true,
                    as.resourceId(),
                    "r",
                    id,
                    name,
                    name + ":1",
                    primary,
                    primary ? "Serving" : "Secondary",
                    highestTerm,
                    openTerm,
                    as.incarnation(),
                    history,
                    durable,
                    durable,
                    durable,
                    true,
                    0,
                    0,
                    false,
                    0,
                    as.members());
        }

        /** As {@code one}, whose log is still being read. */
        Hello recovering(Hello one) {
            return like(one, "Recovering", one.consistent());
        }

        /** As {@code one}, whose copy has begun anew. */
        Hello inconsistent(Hello one) {
            return like(one, one.state(), false);
        }

        private static Hello like(Hello one, String state, boolean consistent) {
            return new Hello(
                    one.dialled(),
                    one.resourceId(),
                    one.resourceName(),
                    one.replicaId(),
                    one.replicaName(),
                    one.address(),
                    one.primary(),
                    state,
                    one.highestTerm(),
                    one.openTerm(),
                    one.incarnation(),
                    one.history(),
                    one.durable(),
                    one.applied(),
                    one.checkpoint(),
                    consistent,
                    one.syncedBytes(),
                    one.syncTotalBytes(),
                    one.shippingPaused(),
                    one.wallMicros(),
                    one.members());
        }

        /** As the primary of that log. */
        Hello primary(EpochHistory history, long durable) {
            return primary(history, INCARNATION, durable, members());
        }

        /** As the primary of that log, whose exports are of that incarnation. */
        Hello primaryOf(long incarnation, EpochHistory history, long durable) {
            return primary(history, incarnation, durable, members());
        }

        /** As the primary of that log, with one more member beside itself and the replica. */
        Hello primaryAmong(EpochHistory history, String more) {
            return primary(
                    history,
                    INCARNATION,
                    START,
                    List.of(
                            new ReplicaMetadata.Member(id, name, name + ":1", true),
                            new ReplicaMetadata.Member(self, "b", "b:1", true),
                            new ReplicaMetadata.Member(77, more, "more:1", true)));
        }

        private Hello primary(
                EpochHistory history,
                long incarnation,
                long durable,
                List<ReplicaMetadata.Member> members) {
            JoinAccepted as =
                    new JoinAccepted(
                            RESOURCE,
                            "r",
                            LogFormat.MIN_SEGMENT,
                            List.of(),
                            members,
                            history,
                            history.lastId().term(),
                            incarnation,
                            START,
                            Chain.Link.START);
            return hello(as, true, 0, history, history.lastId().term(), durable);
        }

        /** As a secondary that holds what {@code primary} says of itself. */
        Hello secondary(Hello primary) {
            JoinAccepted as =
                    new JoinAccepted(
                            RESOURCE,
                            "r",
                            LogFormat.MIN_SEGMENT,
                            List.of(),
                            members(),
                            primary.history(),
                            primary.highestTerm(),
                            primary.incarnation(),
                            START,
                            Chain.Link.START);
            return hello(as, primary.durable());
        }

        private List<ReplicaMetadata.Member> members() {
            return List.of(
                    new ReplicaMetadata.Member(A, "a", "a:1", true),
                    new ReplicaMetadata.Member(self, "b", "b:1", true),
                    new ReplicaMetadata.Member(C, "c", "c:1", true));
        }
    }

    /** The replica's end of a link. */
    private final class End implements PeerLink {

        private final Member member;
        private boolean over;

        End(Member member) {
            this.member = member;
        }

        @Override
        public void send(ByteBuffer message) {
            if (over) {
                return;
            }
            ByteBuffer copy = ByteBuffer.allocate(message.remaining());
            copy.put(message.duplicate()).flip();
            try {
                member.heard.add(codec.decode(copy));
            } catch (Malformed e) {
                throw new AssertionError(e);
            }
        }

        @Override
        public boolean isWritable() {
            return member.writable;
        }

        @Override
        public void close() {
            if (!over) {
                over = true;
                member.hungUp = true;
                PeerLink.Receiver told = member.receiver;
                fake.execute(() -> told.closed("closed"));
            }
        }

        @Override
        public String remote() {
            return member.name;
        }
    }

    /** Must be done. */
    static final class MustBeDone implements Reply<Done> {

        @Override
        public void done(Done result) {}

        @Override
        public void refused(Refusal refusal) {
            throw new AssertionError(refusal);
        }
    }

    /** What came of a request. */
    static final class Answer implements Reply<Done> {

        boolean done;
        @Nullable Refusal refusal;

        @Override
        public void done(Done result) {
            done = true;
        }

        @Override
        public void refused(Refusal why) {
            refusal = why;
        }
    }
}
