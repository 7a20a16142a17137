// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.oracle;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.testkit.schedule.SimFailure;

/**
 * Whether the reads and writes of all connections have an order, block by block, that respects the
 * real-time order of those that did not overlap. {@link #read} tells at once what no order could
 * explain; {@link #check} finds the rest: values are unique, so that each write and its reads make
 * a zone, and the history is linearizable exactly when no two forward zones overlap and no backward
 * zone lies within a forward one (Gibbons and Korach). Zeros are not unique where a range was
 * zeroed more than by birth; there only {@link #read} judges.
 */
public final class LinearizabilityChecker {

    private final WriteHistory history;
    private final MendedCells mended;

    public LinearizabilityChecker(WriteHistory history) {
        this.history = history;
        mended = new MendedCells(history.pattern());
    }

    /** A read that was asked for at tick {@code started} returns {@code bytes} now. */
    public void read(int volume, long offset, byte[] bytes, long started) {
        long done = history.tick();
        examine(volume, offset, bytes, started, done, true);
    }

    /**
     * Judges content that is there now, between {@code started} and {@code done}.
     *
     * @param keep whether {@link #check} shall judge it too
     */
    void examine(int volume, long offset, byte[] bytes, long started, long done, boolean keep) {
        int at = (int) (-offset & CellPattern.CELL - 1);
        explain(volume, offset, bytes, 0, Math.min(at, bytes.length));
        while (at + CellPattern.CELL <= bytes.length) {
            long first = (offset + at) / CellPattern.CELL;
            long limit = (first / BlockHistory.CELLS + 1) * BlockHistory.CELLS;
            int version = version(volume, first, bytes, at);
            long end = first;
            int next = at;
            do {
                end++;
                next += CellPattern.CELL;
            } while (end < limit
                    && next + CellPattern.CELL <= bytes.length
                    && version(volume, end, bytes, next) == version);
            if (version < 0) {
                explain(volume, offset, bytes, at, next);
            } else {
                found(volume, new BlockHistory.Found(first, end, version, started, done), keep);
            }
            at = next;
        }
        explain(volume, offset, bytes, Math.min(at, bytes.length), bytes.length);
    }

    private int version(int volume, long cell, byte[] bytes, int at) {
        return history.versionOf(volume, cell, CellPattern.valueAt(bytes, at));
    }

    /** Cells that no single write has made must be made of several, byte by byte. */
    private void explain(int volume, long offset, byte[] bytes, int from, int to) {
        for (int i = from; i < to; i++) {
            if (!history.explains(volume, offset + i, bytes[i])) {
                throw new SimFailure(
                        "volume " + volume + " byte " + (offset + i) + ": nobody has written it");
            }
        }
    }

    private void found(int volume, BlockHistory.Found found, boolean keep) {
        BlockHistory block = history.block(volume, found.first() / BlockHistory.CELLS);
        for (long cell : block.atoms(found.first(), found.end())) {
            requireAllowed(volume, block, cell, found);
        }
        if (keep) {
            block.reads.add(found);
        }
    }

    private void requireAllowed(
            int volume, BlockHistory block, long cell, BlockHistory.Found found) {
        Write over = null;
        if (found.version() == CellPattern.ZERO) {
            over = overwrittenBy(volume, block, cell, 0, found);
            for (Write write : block.writes) {
                if (over == null) {
                    return;
                }
                if (write.zero && write.touches(cell)) {
                    if (!write.covers(cell)) {
                        return; // bytes beside its edge may be zero by chance
                    }
                    over = overwrittenBy(volume, block, cell, write.end(), found);
                }
            }
        } else {
            long end = history.write(found.version()).end();
            over = overwrittenBy(volume, block, cell, end, found);
        }
        if (over != null && (over.covers(cell) || !mended.explain(volume, block, cell, found))) {
            throw new SimFailure(
                    "volume "
                            + volume
                            + " byte "
                            + cell * CellPattern.CELL
                            + ": found "
                            + describe(found.version())
                            + " at "
                            + found.started()
                            + ".."
                            + found.done()
                            + ", but it was overwritten by "
                            + over);
        }
    }

    private String describe(int version) {
        return version == CellPattern.ZERO ? "zeros" : history.write(version).toString();
    }

    /** A write that came after all that ended by {@code end}, and before the read began. */
    private @Nullable Write overwrittenBy(
            int volume, BlockHistory block, long cell, long end, BlockHistory.Found found) {
        for (Write write : block.writes) {
            if (end < write.submitted
                    && write.acked < found.started()
                    && changes(write, volume, cell, found.version())) {
                return write;
            }
        }
        return null;
    }

    /** Whether the cell cannot be of that version any more once the write has taken effect. */
    private boolean changes(Write write, int volume, long cell, int version) {
        boolean zeroOnZero = write.zero && version == CellPattern.ZERO;
        if (write.version == version || zeroOnZero) {
            return false;
        }
        if (write.covers(cell)) {
            return true;
        }
        long from = Math.max(cell * CellPattern.CELL, write.offset);
        long to = Math.min((cell + 1) * CellPattern.CELL, write.offset + write.length);
        for (long at = from; at < to; at++) {
            byte wrote = write.zero ? 0 : history.pattern().byteAt(volume, at, write.version);
            if (wrote != history.pattern().byteAt(volume, at, version)) {
                return true;
            }
        }
        return false;
    }

    /** Judges all reads so far together, and forgets them: called at each crash and at the end. */
    public void check() {
        for (Map.Entry<WriteHistory.BlockKey, BlockHistory> entry : history.blocks().entrySet()) {
            BlockHistory block = entry.getValue();
            if (!block.reads.isEmpty()) {
                long first = entry.getKey().block() * BlockHistory.CELLS;
                for (long cell : block.atoms(first, first + BlockHistory.CELLS)) {
                    checkZones(entry.getKey(), cell, zones(block, cell));
                }
                block.reads.clear();
            }
        }
    }

    /** One write and its reads: from the first end of any to the last begin, or the reverse. */
    private static final class Zone {
        private final int version;
        private long firstEnd;
        private long lastStart;
        private boolean certain;

        /** {@code certain}: it has happened even if no read tells so. */
        Zone(int version, long start, long end, boolean certain) {
            this.version = version;
            this.certain = certain;
            lastStart = start;
            firstEnd = end;
        }

        void add(long start, long end) {
            certain = true;
            lastStart = Math.max(lastStart, start);
            firstEnd = Math.min(firstEnd, end);
        }

        boolean isForward() {
            return firstEnd < lastStart;
        }
    }

    private static List<Zone> zones(BlockHistory block, long cell) {
        Map<Integer, Zone> zones = new TreeMap<>();
        boolean zeroed = false;
        for (Write write : block.writes) {
            zeroed |= write.zero && write.touches(cell);
            if (write.covers(cell)) {
                long end = write.end();
                zones.put(
                        write.version,
                        new Zone(write.version, write.submitted, end, write.isAcked()));
            }
        }
        if (!zeroed) {
            zones.put(CellPattern.ZERO, new Zone(CellPattern.ZERO, 0, 0, true));
        }
        for (BlockHistory.Found found : block.reads) {
            Zone zone = zones.get(found.version());
            if (zone != null && found.first() <= cell && cell < found.end()) {
                zone.add(found.started(), found.done());
            }
        }
        List<Zone> counted = new ArrayList<>(zones.values());
        counted.removeIf(zone -> !zone.certain);
        return counted;
    }

    private void checkZones(WriteHistory.BlockKey key, long cell, List<Zone> zones) {
        for (Zone forward : zones) {
            for (Zone other : zones) {
                if (forward != other && forward.isForward() && clash(forward, other)) {
                    throw new SimFailure(
                            "volume "
                                    + key.volume()
                                    + " byte "
                                    + cell * CellPattern.CELL
                                    + ": reads of "
                                    + describe(forward.version)
                                    + " and of "
                                    + describe(other.version)
                                    + " have no common order");
                }
            }
        }
    }

    /** Two forward zones that overlap, or a backward zone within the forward one: one formula. */
    private static boolean clash(Zone forward, Zone other) {
        return forward.firstEnd < other.lastStart && other.firstEnd < forward.lastStart;
    }
}
