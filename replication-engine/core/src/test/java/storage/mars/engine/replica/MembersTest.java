// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.ReplicaMetadata.Member;
import storage.mars.engine.port.Clock;
import storage.mars.engine.port.PeerLink;
import storage.mars.engine.port.Ports;
import storage.mars.engine.port.Shard;
import storage.mars.engine.port.Storage;
import storage.mars.engine.replication.PeerCodec;
import storage.mars.engine.replication.PeerMessage;
import storage.mars.engine.replication.PeerMessage.Hello;

class MembersTest {

    private static final long MILLI = 1_000_000L;
    private static final PeerCodec CODEC = new PeerCodec();

    private final FakeLinks links = new FakeLinks();
    private long now = -5_000_000_000L;

    /**
     * Two members that meet as PeerTalk does: a hello of each side, answered when it is the first.
     */
    private final class Place implements Session.Conversation {

        private final long id;
        private final Members members;
        private final List<String> ended = new ArrayList<>();

        Place(long id, long... others) {
            this.id = id;
            members = new Members(ports(), CODEC, id, this, this::greet);
            List<Member> all = new ArrayList<>();
            all.add(member(id));
            for (long other : others) {
                all.add(member(other));
            }
            members.set(all);
            links.listen(address(id), link -> new Session(link, false, CODEC, this));
        }

        private void greet(Session session) {
            session.send(hello(id, session.dialled));
        }

        @Override
        public void heard(Session session, PeerMessage message) {
            session.heardNanos = now;
            if (!(message instanceof Hello hello)) {
                return;
            }
            Peer peer = members.get(hello.replicaId());
            boolean first = peer == null || peer.session != session;
            if (members.adopt(session, hello)) {
                Peer known = members.get(hello.replicaId());
                if (known != null) {
                    known.heard(hello, now, 0);
                }
                if (first) {
                    greet(session);
                }
            }
        }

        @Override
        public void writable(Session session) {}

        @Override
        public void ended(Session session, String reason) {
            ended.add(reason);
            members.ended(session);
        }

        private Peer peer(long other) {
            Peer peer = members.get(other);
            if (peer == null) {
                throw new AssertionError("no member " + other);
            }
            return peer;
        }

        private PeerLink link(long other) {
            Session session = peer(other).session;
            if (session == null) {
                throw new AssertionError("no link of " + id + " with " + other);
            }
            return session.link;
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 2", "-9, 4", "9, -9223372036854775808"})
    void ofTwoLinksThatCrossTheOneDialledByTheSmallerIdStaysInWhateverOrderTheyAreHeard(
            long one, long other) {
        Set<List<Integer>> orders = new HashSet<>();
        orders.add(List.of());
        int ends = 0;
        while (!orders.isEmpty()) {
            Set<List<Integer>> longer = new HashSet<>();
            for (List<Integer> order : orders) {
                int choices = cross(one, other, order);
                ends += choices == 0 ? 1 : 0;
                for (int i = 0; i < choices; i++) {
                    List<Integer> next = new ArrayList<>(order);
                    next.add(i);
                    longer.add(next);
                }
            }
            orders = longer;
        }

        assertThat(ends).as("orders of events").isGreaterThan(20);
    }

    /**
     * Both dial, then events happen in that order; how many could happen next. When there are none
     * the two have settled, and are judged.
     */
    private int cross(long one, long other, List<Integer> order) {
        MembersTest world = new MembersTest();
        FakeLinks fresh = world.links;
        Place a = world.new Place(one, other);
        Place b = world.new Place(other, one);
        a.members.dialMissing();
        b.members.dialMissing();
        for (int choice : order) {
            fresh.due().get(choice).deliver();
        }
        int due = fresh.due().size();
        if (due == 0) {
            Place smaller = one < other ? a : b;
            Place larger = one < other ? b : a;
            FakeLinks.End near = (FakeLinks.End) smaller.link(larger.id);

            assertThat(near.isOpen()).as("%s", order).isTrue();
            assertThat(larger.link(smaller.id)).as("%s", order).isSameAs(near.other());
            assertThat(near.remote()).as("%s", order).isEqualTo(address(larger.id));
            assertThat(fresh.ends().stream().filter(FakeLinks.End::isOpen)).hasSize(2);
        }
        return due;
    }

    @ParameterizedTest
    @CsvSource({"1, 2", "2, 1"})
    void aNewerLinkOfTheSameSideReplacesTheOneThatIsThere(long one, long other) {
        Place a = new Place(one, other);
        Place b = new Place(other, one);
        a.members.dialMissing();
        links.settle();
        PeerLink first = b.link(one);

        // The end of the link is known to a, and not yet to b.
        a.peer(other).session = null;
        a.members.dialMissing();
        links.settle();

        assertThat(b.link(one)).isNotSameAs(first);
        assertThat(((FakeLinks.End) first).isOpen()).isFalse();
        assertThat(((FakeLinks.End) a.link(other)).other()).isSameAs(b.link(one));
    }

    @Test
    void anyLinkReplacesOneOnWhichNothingWasHeardForAWhile() {
        Place a = new Place(1, 2);
        Place b = new Place(2, 1);
        a.members.dialMissing();
        links.settle();
        PeerLink first = a.link(2);

        // What the larger id dials loses against a link that lives, and wins when that is silent.
        b.peer(1).session = null;
        b.members.dialMissing();
        links.settle();
        assertThat(a.link(2)).isSameAs(first);

        now += 5_000 * MILLI;
        b.peer(1).session = null;
        b.members.dialMissing();
        links.settle();
        assertThat(a.link(2)).isNotSameAs(first);
        assertThat(((FakeLinks.End) a.link(2)).other()).isSameAs(b.link(1));
    }

    @Test
    void whoIsNoMemberIsNotLetIn() {
        Place a = new Place(1);
        Place stranger = new Place(3, 1);

        stranger.members.dialMissing();
        links.settle();

        assertThat(a.members.all()).isEmpty();
        assertThat(stranger.peer(1).session).isNull();
        assertThat(stranger.ended).hasSize(1);
    }

    @Test
    void whoHasLeftIsLetGo() {
        Place a = new Place(1, 2, 3);
        Place b = new Place(2, 1);
        a.members.dialMissing();
        links.settle();

        a.members.set(List.of(member(1), member(3)));
        links.settle();

        assertThat(a.members.get(2)).isNull();
        assertThat(a.members.get(3)).isNotNull();
        assertThat(b.peer(1).session).isNull();
    }

    @Test
    void pausesBetweenDialsGrowToFiveSeconds() {
        Place a = new Place(1, 2);
        Peer peer = a.peer(2);
        List<Long> pauses = new ArrayList<>();
        for (int dial = 0; dial < 8; dial++) {
            now = Math.max(now, peer.nextDialNanos);
            a.members.dialMissing();
            pauses.add((peer.nextDialNanos - now) / MILLI);
        }

        // No jitter here: 200 ms doubled by each failure.
        assertThat(pauses).containsExactly(400L, 800L, 1600L, 3200L, 5000L, 5000L, 5000L, 5000L);
    }

    @Test
    void nobodyIsDialledBeforeThePauseIsOver() {
        Place a = new Place(1, 2);
        a.members.dialMissing();
        Place b = new Place(2, 1);

        now += 399 * MILLI;
        a.members.dialMissing();
        assertThat(links.due()).isEmpty();

        now += MILLI;
        a.members.dialMissing();
        links.settle();
        assertThat(b.peer(1).session).isNotNull();
        assertThat(a.peer(2).failedDials).isZero();
    }

    @Test
    void aLinkOnWhichNothingIsHeardIsClosed() {
        Place a = new Place(1, 2);
        Place b = new Place(2, 1);
        a.members.dialMissing();
        links.settle();

        now += 6_000 * MILLI;
        a.members.closeSilent(6_000 * MILLI);
        links.settle();
        assertThat(a.peer(2).session).isNotNull();

        now += 1;
        a.members.closeSilent(6_000 * MILLI);
        links.settle();
        assertThat(a.peer(2).session).isNull();
        assertThat(b.peer(1).session).isNull();
    }

    /** Of a slow link the log may take all for longer than a hello's patience. */
    @Test
    void whateverIsHeardKeepsALink() {
        Place a = new Place(1, 2);
        Place b = new Place(2, 1);
        a.members.dialMissing();
        links.settle();

        now += 5_000 * MILLI;
        b.link(1).send(CODEC.encode(new PeerMessage.LogData(0, ByteBuffer.allocate(8))));
        links.settle();
        now += 5_000 * MILLI;
        a.members.closeSilent(6_000 * MILLI);

        assertThat(((FakeLinks.End) a.link(2)).isOpen()).isTrue();
    }

    @Test
    void anEngineThatStandsStillIsDialledOnceUntilItsSilenceHasBeenLongEnough() {
        Place a = new Place(1, 2);
        Place b = new Place(2, 1);
        for (int second = 0; second < 6; second++) {
            a.members.closeSilent(6_000 * MILLI);
            a.members.dialMissing();
            now += 1_000 * MILLI;
        }
        assertThat(links.ends()).hasSize(2);

        now += 1_000 * MILLI;
        a.members.closeSilent(6_000 * MILLI);
        now += 1_000 * MILLI;
        a.members.dialMissing();
        links.settle();

        assertThat(links.ends()).hasSize(4);
        assertThat(links.ends().stream().filter(FakeLinks.End::isOpen)).hasSize(2);
        assertThat(a.link(2)).isSameAs(((FakeLinks.End) b.link(1)).other());
    }

    @Test
    void allHaveAnsweredWhenEachHasBeenHeardOnceConnectedOrNot() {
        Place a = new Place(1, 2, 3);
        Place b = new Place(2, 1);
        a.members.dialMissing();
        links.settle();
        assertThat(a.members.allAnswered()).isFalse();

        a.link(2).close();
        links.settle();
        Place c = new Place(3, 1);
        c.members.dialMissing();
        links.settle();

        assertThat(b.ended).hasSize(1);
        assertThat(a.members.allAnswered()).isTrue();
        assertThat(a.members.sessions()).hasSize(1);
    }

    @Test
    void theSlowestIsTheOneThatIsFarthestBehindOfThoseThatAreWaitedFor() {
        Place a = new Place(1, 2, 3, 4);
        a.peer(2).received = 700;
        a.peer(3).received = 300;

        assertThat(a.members.slowest(50)).as("4 has not been heard of").isEqualTo(50);

        a.peer(4).attached = false;
        assertThat(a.members.slowest(50)).isEqualTo(300);
        assertThat(a.members.shortest(50)).as("who is not waited for may end anywhere").isZero();
        a.peer(4).received = 200;
        assertThat(a.members.shortest(50)).isEqualTo(200);

        a.members.set(List.of(member(1)));
        assertThat(a.members.slowest(50)).isEqualTo(Long.MAX_VALUE);
    }

    private Ports ports() {
        return new Ports(
                unused(Shard.class),
                new TestClock(),
                () -> 0,
                unused(Storage.class),
                links.network(),
                (work, done) -> {
                    throw new AssertionError("work is offloaded");
                });
    }

    private static <T> T unused(Class<T> port) {
        return port.cast(
                Proxy.newProxyInstance(
                        port.getClassLoader(),
                        new Class<?>[] {port},
                        (proxy, method, arguments) -> {
                            throw new AssertionError(method + " is called");
                        }));
    }

    private static Member member(long id) {
        return new Member(id, "n" + id, address(id), true);
    }

    private static String address(long id) {
        return "host:" + id;
    }

    private static Hello hello(long id, boolean dialled) {
        return new Hello(
                dialled,
                5,
                "r",
                id,
                "n" + id,
                address(id),
                false,
                "Secondary",
                1,
                0,
                1,
                EpochHistory.EMPTY,
                0,
                0,
                0,
                true,
                0,
                0,
                false,
                0,
                List.of());
    }

    private final class TestClock implements Clock {

        @Override
        public long nanoTime() {
            return now;
        }

        @Override
        public long wallMicros() {
            return 0;
        }
    }
}
