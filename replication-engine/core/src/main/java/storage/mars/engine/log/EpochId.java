// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

/**
 * Name of one uninterrupted writership. The random {@code id} is its identity; term and sequence
 * order it.
 */
public record EpochId(long term, long sequence, long id) implements Comparable<EpochId> {

    /** Before the first epoch of a log. */
    public static final EpochId NONE = new EpochId(0, 0, 0);

    public EpochId {
        if (term < 0 || sequence < 0) {
            throw new IllegalArgumentException("epoch " + term + "." + sequence + " is negative");
        }
    }

    @Override
    public int compareTo(EpochId other) {
        int byTerm = Long.compare(term, other.term);
        return byTerm != 0 ? byTerm : Long.compare(sequence, other.sequence);
    }

    @Override
    public String toString() {
        return term + "." + sequence + "/" + Long.toHexString(id);
    }
}
