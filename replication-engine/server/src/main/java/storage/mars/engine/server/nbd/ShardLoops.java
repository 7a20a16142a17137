// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.channel.EventLoop;
import storage.mars.engine.port.Shard;

/** Which event loop a shard is. Callable from any thread. */
@FunctionalInterface
public interface ShardLoops {

    EventLoop loopOf(Shard shard);
}
