// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.disk;

/** How a machine stops. */
public enum CrashKind {
    /** The process dies (kill -9): what had been written stays readable, synced or not. */
    PROCESS,
    /** The power fails: what had not been synced may be gone, sector by sector. */
    POWER
}
