// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.port;

/** Dials other engines. Called on the shard. */
public interface PeerNetwork {

    /**
     * Connects to {@code address} ("host:port"), in bounded time. On success the link exists and
     * {@code accept} has been asked for its receiver, on the shard, before any message arrives.
     */
    void dial(String address, Dialer dialer);

    /** What becomes of a dial: exactly one of the two is called, on the shard. */
    interface Dialer {

        PeerLink.Receiver connected(PeerLink link);

        void failed(String reason);
    }
}
