// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.port;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** The engine's side of connections that other engines have dialled. */
public interface PeerAcceptor {

    /**
     * The shard that will own a link, by its first message (whose bytes are left as they are); null
     * when the message is not the beginning of any conversation known here: the link is then ended.
     * Callable from any thread.
     */
    @Nullable Shard shardFor(ByteBuffer firstMessage);

    /** Takes the link over, on that shard; the first message is given to the receiver next. */
    PeerLink.Receiver accepted(PeerLink link);
}
