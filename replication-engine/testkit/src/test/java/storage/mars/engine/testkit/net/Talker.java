// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.net;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.PeerAcceptor;
import storage.mars.engine.port.PeerLink;
import storage.mars.engine.port.PeerNetwork;
import storage.mars.engine.port.Ports;
import storage.mars.engine.port.Shard;

/** Something that dials, answers, and writes down what it hears. */
final class Talker implements PeerAcceptor, PeerNetwork.Dialer, PeerLink.Receiver {

    final Ports ports;
    final List<Integer> heard = new ArrayList<>();
    final List<String> closed = new ArrayList<>();
    final List<String> failed = new ArrayList<>();
    final List<PeerLink> links = new ArrayList<>();
    int writable;
    boolean refuses;

    Talker(Ports ports) {
        this.ports = ports;
    }

    void dial(String address) {
        ports.shard().execute(() -> ports.network().dial(address, this));
    }

    void send(int from, int to) {
        ports.shard()
                .execute(() -> {
                    for (int i = from; i < to; i++) {
                        links.getLast().send(message(i));
                    }
                });
    }

    static ByteBuffer message(int number) {
        return ByteBuffer.allocate(100).putInt(number).rewind();
    }

    @Override
    public @Nullable Shard shardFor(ByteBuffer firstMessage) {
        if (ports.shard().isCurrent()) {
            throw new IllegalStateException("asked on the shard");
        }
        return refuses ? null : ports.shard();
    }

    @Override
    public PeerLink.Receiver accepted(PeerLink link) {
        return connected(link);
    }

    @Override
    public PeerLink.Receiver connected(PeerLink link) {
        links.add(link);
        return this;
    }

    @Override
    public void failed(String reason) {
        failed.add(reason);
    }

    @Override
    public void received(ByteBuffer message) {
        if (!ports.shard().isCurrent()) {
            throw new IllegalStateException("told off the shard");
        }
        heard.add(message.getInt());
    }

    @Override
    public void writable() {
        writable++;
    }

    @Override
    public void closed(String reason) {
        closed.add(reason);
    }
}
