// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.oracle;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/**
 * Everything that was asked of one block of a volume: writes that touch it, and what reads found.
 */
final class BlockHistory {

    static final int BYTES = 4096;
    static final int CELLS = BYTES / CellPattern.CELL;

    /** Cells {@code first} to before {@code end} were found to be of one version. */
    record Found(long first, long end, int version, long started, long done) {}

    final List<Write> writes = new ArrayList<>();
    private int pruneAt = 64;
    final List<Found> reads = new ArrayList<>();

    /**
     * Adds a write to the block that begins at byte {@code origin}, and now and then forgets those
     * that nothing can bring back: a later one that covers the block was durable before {@code
     * horizon}, when the oldest read that is still under way began.
     */
    void add(Write write, long origin, long horizon) {
        writes.add(write);
        if (writes.size() < pruneAt) {
            return;
        }
        long latest = Long.MIN_VALUE;
        for (Write each : writes) {
            boolean covers = each.offset <= origin && origin + BYTES <= each.offset + each.length;
            if (covers && Math.max(each.acked, each.durable) < horizon) {
                latest = Math.max(latest, each.submitted);
            }
        }
        long dead = latest;
        writes.removeIf(each -> each.end() < dead);
        pruneAt = 2 * writes.size() + 64;
    }

    /**
     * The first cells of the parts of {@code first..end} within which all writes are alike, so that
     * one cell of each part stands for all.
     */
    List<Long> atoms(long first, long end) {
        TreeSet<Long> starts = new TreeSet<>();
        starts.add(first);
        for (Write write : writes) {
            long from = write.offset / CellPattern.CELL;
            long last = (write.offset + write.length) / CellPattern.CELL;
            long[] edges = {from, from + 1, last, last + 1};
            for (long edge : edges) {
                if (edge > first && edge < end) {
                    starts.add(edge);
                }
            }
        }
        return new ArrayList<>(starts);
    }
}
