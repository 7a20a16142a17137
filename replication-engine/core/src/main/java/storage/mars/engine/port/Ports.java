// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.port;

/** Everything that one shard has from the outside. */
public record Ports(
        Shard shard,
        Clock clock,
        Entropy entropy,
        Storage storage,
        PeerNetwork network,
        Offload offload) {}
