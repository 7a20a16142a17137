// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.sim;

import storage.mars.engine.port.Ports;

/** Starts what a machine runs; the world knows nothing else of engines. */
@FunctionalInterface
public interface Boot {

    /**
     * Starts a new engine on what the disk holds. Runs on the first shard; {@code ports} are that
     * shard's, those of the others come from {@link SimMachine#ports(int)}.
     */
    void boot(Ports ports, SimMachine machine);
}
