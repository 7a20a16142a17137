// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import storage.mars.engine.port.BlockFile;

/**
 * A segment file that has its place in the log. Readers pin it, so that it is not recycled under
 * them.
 */
final class Segment {

    final long start;
    final BlockFile file;
    private int pins;
    private boolean condemned;

    Segment(long start, BlockFile file) {
        this.start = start;
        this.file = file;
    }

    void pin() {
        pins++;
    }

    /** True when this was the last pin of a segment that waits to be recycled. */
    boolean unpin() {
        pins--;
        return condemned && pins == 0;
    }

    /** Marks it for recycling; true when that may happen at once. */
    boolean condemn() {
        condemned = true;
        return pins == 0;
    }
}
