// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static storage.mars.engine.fake.FakePorts.every;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import storage.mars.engine.fake.FakePorts;
import storage.mars.engine.fake.FakePorts.Kind;
import storage.mars.engine.fake.LogRig;
import storage.mars.engine.log.Chain;
import storage.mars.engine.log.FieldReader.Malformed;
import storage.mars.engine.log.LogFormat;
import storage.mars.engine.port.PeerLink;
import storage.mars.engine.replication.PeerMessage.Credit;
import storage.mars.engine.replication.PeerMessage.LogData;
import storage.mars.engine.replication.PeerMessage.Pull;

class PullerTest {

    private static final int MIB = 1 << 20;
    private static final long LOG = 12 * MIB;

    private final ReceiveMemory memory = new ReceiveMemory(8 * MIB);
    private final LogRig primary = new LogRig();

    /** A secondary whose index has room or not, and the shipper that serves its link. */
    private final class Member implements PeerLink, Puller.Listener {

        private final LogRig rig;
        private final Puller puller;
        private final PeerCodec codec = new PeerCodec();
        private final List<Pull> pulls = new ArrayList<>();
        private final List<Long> windows = new ArrayList<>();
        private boolean room = true;
        private long next;
        private long credit;
        private String wrong = "";

        Member(FakePorts fake, long logMemory) {
            rig = new LogRig(fake, logMemory, Long.MAX_VALUE, 0, Chain.Link.START);
            puller =
                    new Puller(
                            rig.tail,
                            rig.intake,
                            rig.writer,
                            () -> rig.history,
                            memory,
                            codec,
                            this,
                            () -> room,
                            this);
            rig.tail.whenRoom(() -> fake.execute(puller::advance));
        }

        /** Sends the next message of up to 1 MiB, as far as credit goes; false when it does not. */
        boolean ship() {
            if (!puller.isEnded() && next < Math.min(credit, primary.tail.durable())) {
                long[] to = {next};
                ByteBuffer log = batch(next, to);
                LogData data = new LogData(next, log);
                next = to[0];
                puller.received(data);
                rig.fake.run();
                return true;
            }
            return false;
        }

        void shipAll() {
            while (ship()) {
                assertThat(memory.takenBytes()).isLessThanOrEqualTo(memory.limitBytes());
            }
        }

        void getsRoom() {
            room = true;
            puller.advance();
            rig.fake.run();
        }

        @Override
        public void send(ByteBuffer message) {
            try {
                switch (codec.decode(message)) {
                    case Pull pull -> {
                        pulls.add(pull);
                        next = pull.from();
                        credit = pull.creditUntil();
                    }
                    case Credit more -> {
                        windows.add(more.until() - rig.tail.end());
                        credit = more.until();
                    }
                    default -> throw new IllegalStateException("not of a puller");
                }
            } catch (Malformed e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public boolean isWritable() {
            return true;
        }

        @Override
        public void close() {}

        @Override
        public String remote() {
            return "test";
        }

        @Override
        public void asking() {}

        @Override
        public void taken(long from, long to) {}

        @Override
        public void wrong(String reason) {
            wrong = reason;
        }
    }

    private ByteBuffer batch(long from, long[] to) {
        ByteBuffer[] copy = new ByteBuffer[1];
        ByteBuffer buffer = ByteBuffer.allocateDirect(LogFormat.MAX_FRAME);
        primary.log
                .reader()
                .read(
                        from,
                        primary.tail.durable(),
                        primary.history,
                        null,
                        buffer.order(ByteOrder.LITTLE_ENDIAN),
                        batch -> {
                            to[0] = batch.to();
                            copy[0] = batch.bytes();
                        });
        primary.fake.run();
        return copy[0];
    }

    /** Others keep so much that no message finds room. */
    private void fillMemory() {
        for (boolean more = true; more; ) {
            more = memory.take(0, MIB / 4);
        }
    }

    private Member member() {
        return new Member(new FakePorts(), 16 * MIB);
    }

    @Test
    void manyStalledSecondariesKeepNoMoreThanTheMemoryThatIsThere() {
        primary.fillTo(LOG);
        List<Member> members = IntStream.range(0, 40).mapToObj(i -> member()).toList();
        for (Member member : members) {
            member.room = false;
            member.puller.start();
        }

        members.forEach(Member::shipAll);

        assertThat(memory.takenBytes()).isPositive().isLessThan(memory.limitBytes());
        for (int i = 0; i < 100; i++) {
            for (Member member : members) {
                member.getsRoom();
                member.shipAll();
            }
        }
        for (Member member : members) {
            assertThat(member.wrong).isEmpty();
            assertThat(member.rig.tail.durable()).isEqualTo(primary.tail.durable());
            assertThat(member.rig.tail.link()).isEqualTo(primary.tail.link());
        }
        assertThat(memory.takenBytes()).isZero();
    }

    @Test
    void oneAloneKeepsItsWholeWindowAndNothingIsAskedForTwice() {
        primary.fillTo(LOG);
        Member member = member();
        member.puller.start();
        while (member.rig.tail.end() < 4 * MIB) {
            member.ship();
        }
        member.room = false;
        member.shipAll();

        assertThat(memory.takenBytes()).isPositive();
        member.getsRoom();
        member.shipAll();

        assertThat(member.pulls).hasSize(1);
        assertThat(member.rig.tail.durable()).isEqualTo(primary.tail.durable());
    }

    @Test
    void theWindowGrowsWhileNothingWaitsAndIsSmallAfterADrop() {
        primary.fillTo(LOG);
        Member member = member();
        member.puller.start();
        long first = member.credit;
        while (member.rig.tail.end() < 5 * MIB) {
            member.ship();
        }
        long grown = member.windows.getLast();
        assertThat(grown).isGreaterThan(first).isEqualTo(memory.window());
        fillMemory();
        member.room = false;
        member.shipAll();

        member.getsRoom();

        assertThat(member.pulls).hasSize(2);
        Pull again = member.pulls.getLast();
        assertThat(again.from()).isEqualTo(member.rig.tail.end());
        assertThat(again.creditUntil() - again.from()).isLessThan(first);
    }

    @Test
    void whatWasUnderWayWhenItAsksAgainIsLeftOut() {
        primary.fillTo(LOG);
        Member member = member();
        member.puller.start();
        fillMemory();
        long[] to = {0};
        LogData first = new LogData(0, batch(0, to));
        LogData second = new LogData(to[0], batch(to[0], new long[1]));
        member.room = false;

        member.puller.received(first);
        member.getsRoom();
        assertThat(member.pulls).as("the first pull has brought nothing").hasSize(1);
        member.getsRoom();
        member.puller.received(second);
        assertThat(member.rig.tail.end()).isZero();
        member.puller.received(first);
        member.puller.received(second);

        assertThat(member.wrong).isEmpty();
        assertThat(member.pulls).hasSize(2);
        assertThat(member.rig.tail.end()).isGreaterThan(to[0]);
    }

    @Test
    void withoutLogMemoryNothingIsAskedForAgain() {
        primary.fillTo(LOG);
        FakePorts slow = new FakePorts();
        Member member = new Member(slow, 4 * MIB);
        slow.hold(every(Kind.LOG_WRITE));
        fillMemory();
        member.puller.start();
        member.shipAll();

        member.puller.advance();
        assertThat(member.pulls).hasSize(1);
        slow.holdNothing();
        member.puller.advance();

        assertThat(member.pulls).hasSize(2);
        member.shipAll();
        assertThat(member.rig.tail.durable()).isEqualTo(primary.tail.durable());
    }

    @Test
    void thatWhichEndsGivesItsMemoryBack() {
        primary.fillTo(LOG);
        Member member = member();
        member.room = false;
        member.puller.start();
        member.shipAll();
        assertThat(memory.takenBytes()).isPositive();

        member.puller.end();

        assertThat(memory.takenBytes()).isZero();
    }

    @Test
    void logBeyondTheCreditIsRefused() {
        Member member = member();
        member.puller.start();

        member.puller.received(new LogData(member.credit + 1, ByteBuffer.allocate(0)));

        assertThat(member.wrong).contains("beyond the credit");
        assertThat(member.puller.isEnded()).isTrue();
    }
}
