// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.EventLoop;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import storage.mars.engine.export.Exports;

/** What all connections of a server share. Callable from any thread. */
record ServerParts(
        Exports exports,
        ShardLoops loops,
        NbdLimits limits,
        ExportManners manners,
        ConnectionTable connections,
        Map<EventLoop, ShardMemory> memories) {

    ServerParts(Exports exports, ShardLoops loops, NbdLimits limits, ExportManners manners) {
        this(
                exports,
                loops,
                limits,
                manners,
                new ConnectionTable(limits.clients()),
                new ConcurrentHashMap<>());
    }

    ShardMemory memoryOf(EventLoop loop, ByteBufAllocator allocator) {
        return memories.computeIfAbsent(loop, each -> ShardMemory.of(each, allocator, limits));
    }
}
