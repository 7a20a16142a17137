// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.oracle;

/**
 * Edges of several unaligned writes together can make the content of an older write again, in a
 * cell that one of them alone has changed. So a cell that was found to be of an overwritten version
 * is judged byte by byte: each has an order of its own, since no write covers less.
 */
final class MendedCells {

    private final CellPattern pattern;

    MendedCells(CellPattern pattern) {
        this.pattern = pattern;
    }

    /** Whether each byte of the cell may be as it was found. */
    boolean explain(int volume, BlockHistory block, long cell, BlockHistory.Found found) {
        for (long at = cell * CellPattern.CELL; at < (cell + 1) * CellPattern.CELL; at++) {
            if (!explain(new FoundByte(volume, at, pattern, found), block)) {
                return false;
            }
        }
        return true;
    }

    /** Whether somebody has made the byte so, and nobody another before the read began. */
    private static boolean explain(FoundByte found, BlockHistory block) {
        if (found.value() == 0 && found.lastsFrom(0, block)) {
            return true;
        }
        for (Write write : block.writes) {
            if (write.submitted < found.of.done()
                    && found.isMadeBy(write)
                    && found.lastsFrom(write.end(), block)) {
                return true;
            }
        }
        return false;
    }

    /** One byte of what was found. */
    private record FoundByte(int volume, long at, CellPattern pattern, BlockHistory.Found of) {

        byte value() {
            return pattern.byteAt(volume, at, of.version());
        }

        boolean isMadeBy(Write write) {
            int version = write.zero ? CellPattern.ZERO : write.version;
            return write.includes(at) && pattern.byteAt(volume, at, version) == value();
        }

        /** Whether nobody made it another after {@code end} and before the read. */
        boolean lastsFrom(long end, BlockHistory block) {
            for (Write write : block.writes) {
                boolean between = end < write.submitted && write.acked < of.started();
                if (between && write.includes(at) && !isMadeBy(write)) {
                    return false;
                }
            }
            return true;
        }
    }
}
