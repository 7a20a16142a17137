// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.peer;

import storage.mars.engine.port.PeerNetwork;
import storage.mars.engine.server.config.HostPort;
import storage.mars.engine.server.io.NettyShard;

/** Dials other engines over TCP for one shard; links live on that shard's event loop. */
public final class NettyPeerNetwork implements PeerNetwork {

    private final NettyShard shard;

    public NettyPeerNetwork(NettyShard shard) {
        this.shard = shard;
    }

    /** Ends within 5 seconds, name resolution included, and never before this has returned. */
    @Override
    public void dial(String address, Dialer dialer) {
        shard.execute(() -> start(address, dialer));
    }

    private void start(String address, Dialer dialer) {
        HostPort target;
        try {
            target = HostPort.parse(address);
        } catch (IllegalArgumentException e) {
            dialer.failed(String.valueOf(e.getMessage()));
            return;
        }
        new PeerDial(shard, target, dialer).start();
    }
}
