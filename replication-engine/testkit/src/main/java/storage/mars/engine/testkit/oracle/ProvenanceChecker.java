// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.oracle;

import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.Set;
import java.util.function.BooleanSupplier;
import storage.mars.engine.port.Storage;
import storage.mars.engine.testkit.disk.DiskObserver;
import storage.mars.engine.testkit.schedule.SimFailure;

/**
 * Whether an image ever gets data that its own log did not hold durably before. Looks on one disk:
 * cells of log pages that a sync has proven durable are known; every cell that is about to be
 * written to an image must be among them. It needs no log format, for cells name the write that
 * made them, and log payloads are aligned as blocks are. While a replica is marked inconsistent it
 * gets blocks from others, and is not judged.
 */
public final class ProvenanceChecker implements DiskObserver {

    private static final long NONE = 0;

    private final WriteHistory history;
    private final BooleanSupplier judged;

    /** Version and block of each write that the log holds durably. */
    private final Set<Long> durable = new HashSet<>();

    /** {@code judged}: whether the replica on that disk is consistent now. */
    public ProvenanceChecker(WriteHistory history, BooleanSupplier judged) {
        this.history = history;
        this.judged = judged;
    }

    @Override
    public void durable(String name, Storage.Kind kind, long position, byte[] bytes) {
        if (kind != Storage.Kind.LOG) {
            return;
        }
        long before = NONE;
        for (int at = 0; at + CellPattern.CELL <= bytes.length; at += CellPattern.CELL) {
            long key = key(CellPattern.valueAt(bytes, at));
            if (key != before && key != NONE) {
                durable.add(key);
            }
            before = key;
        }
    }

    @Override
    public void writing(String name, Storage.Kind kind, long position, ByteBuffer bytes) {
        if (kind != Storage.Kind.IMAGE || !judged.getAsBoolean()) {
            return;
        }
        int start = bytes.position();
        byte[] cell = new byte[CellPattern.CELL];
        long before = NONE;
        for (int at = start; at + CellPattern.CELL <= bytes.limit(); at += CellPattern.CELL) {
            bytes.get(at, cell);
            long key = key(CellPattern.valueAt(cell, 0));
            if (key != before && key != NONE && !durable.contains(key)) {
                throw new SimFailure(
                        name
                                + " is about to get "
                                + history.write((int) (key >>> 32))
                                + " at "
                                + (position + at - start)
                                + ", which its own log does not hold durably");
            }
            before = key;
        }
    }

    /** Version and block of a cell that a write has made, else {@link #NONE}. */
    private long key(long value) {
        int version = history.pattern().claimedVersion(value);
        Write write = history.find(version);
        if (write == null || write.zero) {
            return NONE;
        }
        long cell = write.scramble ^ CellPattern.low(value);
        return write.covers(cell) ? ((long) version << 32) | (cell / BlockHistory.CELLS) : NONE;
    }
}
