// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.nio.ByteBuffer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.FieldReader.Malformed;
import storage.mars.engine.port.PeerLink;
import storage.mars.engine.port.PeerNetwork;
import storage.mars.engine.port.Ports;
import storage.mars.engine.port.Shard;
import storage.mars.engine.replication.PeerCodec;
import storage.mars.engine.replication.PeerMessage.Hello;
import storage.mars.engine.replication.PeerMessage.JoinAccepted;
import storage.mars.engine.replication.PeerMessage.JoinRequest;
import storage.mars.engine.replication.PeerMessage.Refused;

/** Asks an engine for a place among the members of a resource. One use. Owned by the shard. */
final class Joining implements PeerNetwork.Dialer, PeerLink.Receiver {

    private static final long PATIENCE_NANOS = 15_000_000_000L;

    private final Ports ports;
    private final PeerCodec codec;
    private final JoinRequest request;
    private final Consumer<JoinAccepted> accepted;
    private final Consumer<String> refused;
    private @Nullable PeerLink link;
    private Shard.@Nullable Timer timer;
    private boolean ended;

    Joining(
            Ports ports,
            PeerCodec codec,
            JoinRequest request,
            Consumer<JoinAccepted> accepted,
            Consumer<String> refused) {
        this.ports = ports;
        this.codec = codec;
        this.request = request;
        this.accepted = accepted;
        this.refused = refused;
    }

    void start(String address) {
        timer = ports.shard().schedule(PATIENCE_NANOS, () -> end("it does not answer"));
        ports.network().dial(address, this);
    }

    @Override
    public PeerLink.Receiver connected(PeerLink connected) {
        link = connected;
        connected.send(codec.encode(request));
        return this;
    }

    @Override
    public void failed(String reason) {
        end("it is not reached: " + reason);
    }

    @Override
    public void received(ByteBuffer message) {
        try {
            switch (codec.decode(message)) {
                case JoinAccepted answer -> {
                    if (!ended) {
                        finish();
                        accepted.accept(answer);
                    }
                }
                case Refused no -> end(no.reason());
                case Hello hello -> {}
                default -> end("it answered something else than was asked");
            }
        } catch (Malformed e) {
            end("it does not speak this protocol: " + e.getMessage());
        }
    }

    @Override
    public void writable() {}

    @Override
    public void closed(String reason) {
        end("it closed the connection: " + reason);
    }

    private void end(String reason) {
        if (!ended) {
            finish();
            refused.accept(reason);
        }
    }

    private void finish() {
        ended = true;
        if (timer != null) {
            timer.cancel();
        }
        if (link != null) {
            link.close();
        }
    }
}
