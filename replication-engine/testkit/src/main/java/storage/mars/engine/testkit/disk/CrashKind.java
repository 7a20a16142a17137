// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.disk;

import storage.mars.engine.testkit.schedule.SimRandom;

/** How a machine stops. */
public enum CrashKind {
    /** The process dies (kill -9): what had been written stays readable, synced or not. */
    PROCESS,
    /** The power fails: what had not been synced may be gone, sector by sector. */
    POWER;

    /** Either, as often as the other. */
    public static CrashKind drawn(SimRandom random) {
        return random.chance(1, 2) ? POWER : PROCESS;
    }
}
