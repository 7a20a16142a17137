// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import storage.mars.engine.export.ExportRegistry;
import storage.mars.engine.fake.FakePorts;
import storage.mars.engine.log.FieldReader.Malformed;
import storage.mars.engine.log.LogFormat;
import storage.mars.engine.log.ReplicaMetadata.VolumeShape;
import storage.mars.engine.port.PeerLink;
import storage.mars.engine.replication.PeerCodec;
import storage.mars.engine.replication.PeerMessage;
import storage.mars.engine.replication.PeerMessage.Granted;
import storage.mars.engine.replication.PeerMessage.HandoverRequest;
import storage.mars.engine.replication.PeerMessage.Hello;
import storage.mars.engine.replication.PeerMessage.JoinAccepted;
import storage.mars.engine.replication.PeerMessage.JoinRequest;
import storage.mars.engine.replication.PeerMessage.Pull;

class HandoverSourceTest {

    private static final long TARGET = 2;
    private static final PeerCodec CODEC = new PeerCodec();

    private final FakePorts fake = new FakePorts();
    private final ReplicaHost host =
            new ReplicaHost(
                    fake.ports(),
                    new ReplicaSettings(
                            "a",
                            "a:1",
                            7,
                            LogFormat.MIN_SEGMENT,
                            1 << 20,
                            Duration.ofSeconds(1),
                            Duration.ofSeconds(1)),
                    new ExportRegistry(),
                    64 << 20);
    private final Member b = new Member();

    /** The other end of a link, which says what the test wants. */
    private final class Member implements PeerLink {

        private final List<PeerMessage> heard = new ArrayList<>();
        private PeerLink.Receiver receiver = new Rejection(this, CODEC, "not linked");

        void link() {
            receiver = host.accept("r", this);
        }

        void say(PeerMessage message) {
            receiver.received(CODEC.encode(message));
            fake.run();
        }

        @Override
        public void send(ByteBuffer message) {
            ByteBuffer copy = ByteBuffer.allocate(message.remaining());
            copy.put(message.duplicate()).flip();
            try {
                heard.add(CODEC.decode(copy));
            } catch (Malformed e) {
                throw new AssertionError(e);
            }
        }

        <T> T last(Class<T> kind) {
            return heard.stream().filter(kind::isInstance).map(kind::cast).toList().getLast();
        }

        @Override
        public boolean isWritable() {
            return true;
        }

        @Override
        public void close() {}

        @Override
        public String remote() {
            return "b";
        }
    }

    private ReplicaStatus status() {
        return Objects.requireNonNull(host.status("r"));
    }

    private long durable() {
        return Objects.requireNonNull(status().known()).positions().durable();
    }

    private static Hello hello(JoinAccepted a, long durable) {
        return new Hello(
                true,
                a.resourceId(),
                "r",
                TARGET,
                "b",
                "b:1",
                false,
                "Secondary",
                a.highestTerm(),
                0,
                a.incarnation(),
                a.history(),
                durable,
                durable,
                durable,
                true,
                0,
                0,
                false,
                0,
                a.members());
    }

    @Test
    void aTargetWhoseHelloShowsTheEndHasTheRoleAtTheNextTick() {
        host.create("r", List.of(new VolumeShape(0, "v", 1 << 20)), 0, new Ignored());
        fake.run();
        b.link();
        b.say(new JoinRequest("r", TARGET, "b", "b:1"));
        JoinAccepted accepted = b.last(JoinAccepted.class);
        b.say(hello(accepted, accepted.start()));
        b.say(new Pull(accepted.start(), accepted.start() + (1 << 20)));
        b.say(new HandoverRequest(accepted.highestTerm(), false));
        assertThat(status().state()).isEqualTo("HandingOver");
        b.say(hello(accepted, durable()));

        fake.advance(TimeUnit.SECONDS.toNanos(1));
        b.say(hello(accepted, durable()));

        assertThat(status().state()).isEqualTo("Secondary");
        assertThat(b.last(Granted.class))
                .isEqualTo(new Granted(accepted.highestTerm() + 1, durable()));
    }

    private static final class Ignored implements Reply<Done> {

        @Override
        public void done(Done result) {}

        @Override
        public void refused(Refusal refusal) {
            throw new AssertionError(refusal);
        }
    }
}
