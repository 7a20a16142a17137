// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.host;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.PeerLink;

/** A link that becomes a replica's with its first message, which names the resource. Shard only. */
final class FirstMessage implements PeerLink.Receiver {

    private final PeerLink link;
    private final Replicas replicas;
    private PeerLink.@Nullable Receiver owner;

    FirstMessage(PeerLink link, Replicas replicas) {
        this.link = link;
        this.replicas = replicas;
    }

    @Override
    public void received(ByteBuffer message) {
        PeerLink.Receiver receiver = owner;
        if (receiver == null) {
            receiver = replicas.receiver(message, link);
            owner = receiver;
        }
        if (receiver == null) {
            link.close();
        } else {
            receiver.received(message);
        }
    }

    @Override
    public void writable() {
        PeerLink.Receiver receiver = owner;
        if (receiver != null) {
            receiver.writable();
        }
    }

    @Override
    public void closed(String reason) {
        PeerLink.Receiver receiver = owner;
        if (receiver != null) {
            receiver.closed(reason);
        }
    }
}
