// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.PeerLink;
import storage.mars.engine.port.PeerNetwork;

/**
 * Links between a few places, whose deliveries a test picks one by one: each direction of a link
 * keeps its order, nothing else does.
 */
final class FakeLinks {

    /** Directions that have something to deliver, each with what it delivers next. */
    private final List<End> ends = new ArrayList<>();

    private final Map<String, Function<PeerLink, PeerLink.Receiver>> places = new LinkedHashMap<>();

    void listen(String address, Function<PeerLink, PeerLink.Receiver> acceptor) {
        places.put(address, acceptor);
    }

    /** Connects at once; an address where nobody listens refuses at once. */
    PeerNetwork network() {
        return (address, dialer) -> {
            Function<PeerLink, PeerLink.Receiver> acceptor = places.get(address);
            if (acceptor == null) {
                dialer.failed("connection refused");
                return;
            }
            End near = new End(address);
            End far = new End("of " + address);
            near.other = far;
            far.other = near;
            ends.add(near);
            ends.add(far);
            near.receiver = dialer.connected(near);
            far.receiver = acceptor.apply(far);
        };
    }

    /** Ends that have something to be told. */
    List<End> due() {
        return ends.stream().filter(end -> !end.inbox.isEmpty()).toList();
    }

    /** Delivers the next of each end in turn until nothing is left. */
    void settle() {
        for (List<End> due = due(); !due.isEmpty(); due = due()) {
            due.getFirst().deliver();
        }
    }

    List<End> ends() {
        return ends;
    }

    /** One end of a link: what is told to the receiver here. */
    static final class End implements PeerLink {

        private static final byte[] CLOSED = {};

        private final String remote;
        private final ArrayDeque<byte[]> inbox = new ArrayDeque<>();
        private @Nullable End other;
        private PeerLink.@Nullable Receiver receiver;
        private boolean over;

        private End(String remote) {
            this.remote = remote;
        }

        boolean isOpen() {
            return !over;
        }

        End other() {
            End o = other;
            if (o == null) {
                throw new IllegalStateException("not connected");
            }
            return o;
        }

        void deliver() {
            byte[] next = inbox.remove();
            PeerLink.Receiver told = receiver;
            if (told == null) {
                return;
            }
            if (next.length == 0) {
                receiver = null;
                over = true;
                told.closed("ended");
            } else if (!over) {
                told.received(ByteBuffer.wrap(next));
            }
        }

        @Override
        public void send(ByteBuffer message) {
            if (!over) {
                byte[] bytes = new byte[message.remaining()];
                message.get(bytes);
                other().inbox.add(bytes);
            }
        }

        @Override
        public boolean isWritable() {
            return true;
        }

        @Override
        public void close() {
            if (!over) {
                over = true;
                inbox.add(CLOSED);
                other().inbox.add(CLOSED);
            }
        }

        @Override
        public String remote() {
            return remote;
        }
    }
}
