// SPDX-License-Identifier: Apache-2.0
/**
 * Everything slow or nondeterministic that the engine asks for: shard, clock, entropy, storage and
 * peers.
 */
@NullMarked
package storage.mars.engine.port;

import org.jspecify.annotations.NullMarked;
