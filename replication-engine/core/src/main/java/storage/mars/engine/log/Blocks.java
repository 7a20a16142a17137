// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

/** The unit of log, index, replay and sync: blocks of 4096 bytes. */
public final class Blocks {

    public static final int SIZE = 4096;
    public static final int SHIFT = 12;

    private Blocks() {}

    public static boolean aligned(long bytes) {
        return (bytes & (SIZE - 1)) == 0;
    }

    public static long floor(long bytes) {
        return bytes & -SIZE;
    }

    public static long ceil(long bytes) {
        return (bytes + SIZE - 1) & -SIZE;
    }
}
