// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.observe;

import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import storage.mars.engine.server.host.Replicas;

/**
 * The running engine as metrics and health see it. Callable from any thread.
 *
 * @param nbdConnections open now
 * @param shardAllocatedBytes that the threads of the shards have allocated on the heap
 */
public record ObservedEngine(
        Replicas replicas, IntSupplier nbdConnections, LongSupplier shardAllocatedBytes) {}
