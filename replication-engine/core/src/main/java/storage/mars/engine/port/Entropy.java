// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.port;

/** Source of the random ids of resources, replicas, epochs and incarnations. */
@FunctionalInterface
public interface Entropy {

    /** A uniformly distributed value; never predictable in production, seeded in simulation. */
    long nextLong();
}
