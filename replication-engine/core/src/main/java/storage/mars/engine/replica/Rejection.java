// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.nio.ByteBuffer;
import storage.mars.engine.port.PeerLink;
import storage.mars.engine.replication.PeerCodec;
import storage.mars.engine.replication.PeerMessage.Refused;

/** Answers a link that nobody here can use: says why, then ends it. Owned by the shard. */
final class Rejection implements PeerLink.Receiver {

    private final PeerLink link;
    private final PeerCodec codec;
    private final String reason;

    Rejection(PeerLink link, PeerCodec codec, String reason) {
        this.link = link;
        this.codec = codec;
        this.reason = reason;
    }

    @Override
    public void received(ByteBuffer message) {
        link.send(codec.encode(new Refused(reason)));
        link.close();
    }

    @Override
    public void writable() {}

    @Override
    public void closed(String reason) {}
}
