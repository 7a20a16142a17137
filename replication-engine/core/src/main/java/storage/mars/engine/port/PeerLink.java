// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.port;

import java.nio.ByteBuffer;

/**
 * One established connection to another engine that carries whole messages in order, each at most
 * once. It may lose everything from some point on, and then ends. Called on the shard.
 */
public interface PeerLink {

    /**
     * Sends the remaining bytes of {@code message} as one message; the bytes are copied before the
     * call returns. After the end of the link this does nothing.
     */
    void send(ByteBuffer message);

    /**
     * Whether little enough waits to be sent; false asks the sender to wait for {@link
     * Receiver#writable}.
     */
    boolean isWritable();

    /** Ends the link; {@link Receiver#closed} follows. Idempotent. */
    void close();

    /** Address of the other side, in words for the operator. */
    String remote();

    /** Who is told what happens on a link. All methods run on the shard. */
    interface Receiver {

        /**
         * A whole message, its bytes the remaining ones of {@code message}, valid until the method
         * returns.
         */
        void received(ByteBuffer message);

        /** {@link #isWritable} has become true again. */
        void writable();

        /** The link has ended; nothing else follows. */
        void closed(String reason);
    }
}
