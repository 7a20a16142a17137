// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.disk;

/** What an engine asks of a disk; faults are planned by it. */
public enum DiskOp {
    READ,
    WRITE,
    /** A sync, or the sync of a durable write. */
    SYNC,
    ZERO,
    RESIZE,
    EXTENT,
    LIST,
    CREATE_DIRECTORY,
    CREATE,
    OPEN,
    RENAME,
    DELETE;

    private final String what = "disk " + name();

    /** Name in traces. */
    String what() {
        return what;
    }
}
