// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit;

import storage.mars.engine.testkit.sim.SimWorld;

/**
 * A story that must end well whatever the seed: builds machines in the world, lets time pass, and
 * throws when something is not as promised. All chance comes from the world, so that the seed
 * repeats it.
 */
public interface Scenario {

    /** Name on the command line and in reports. */
    String name();

    void run(SimWorld world);
}
