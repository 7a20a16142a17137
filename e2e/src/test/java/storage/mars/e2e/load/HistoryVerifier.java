// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e.load;

import java.util.ArrayList;
import java.util.List;

/**
 * Compares the content of a volume with what was written to it. Each check returns its findings,
 * worst first and not more than a few; none means that the promise held.
 */
public final class HistoryVerifier {
    private static final int FINDINGS = 10;
    private final WriteHistory history;

    public HistoryVerifier(WriteHistory history) {
        this.history = history;
    }

    /** Every acknowledged write is there, or one of the same block that was issued after it. */
    public List<String> everyAcknowledgedWriteIsIn(ContentSnapshot content) {
        return everythingAcknowledgedBefore(WriteHistory.NEVER, content);
    }

    /**
     * The content is a state that the volume has gone through: with a write that is in it,
     * everything is in it that was acknowledged before that write was issued. For one writer with
     * depth 1 this is the exact prefix of what it wrote.
     */
    public List<String> isOnePrefix(ContentSnapshot content) {
        long newest = 0;
        for (long sequence : content.sequences()) {
            if (sequence > 0 && sequence <= history.issued()) {
                newest = Math.max(newest, history.issuedAt(sequence));
            }
        }
        return everythingAcknowledgedBefore(newest, content);
    }

    /**
     * The content is that of the primary at the given position, as narrowly as the samples tell:
     * what was acknowledged before a sample at or below the position is in it, what was issued
     * after a sample at or above the position is not.
     */
    public List<String> isThePrefixAt(
            long position, List<PositionSample> samples, ContentSnapshot content) {
        long wanted = 0;
        long excluded = WriteHistory.NEVER;
        for (PositionSample sample : samples) {
            if (sample.durable() <= position) {
                wanted = Math.max(wanted, sample.before());
            }
            if (sample.durable() >= position) {
                excluded = Math.min(excluded, sample.after());
            }
        }
        var findings = new ArrayList<>(isOnePrefix(content));
        findings.addAll(everythingAcknowledgedBefore(wanted, content));
        long[] sequences = content.sequences();
        for (int block = 0; block < sequences.length; block++) {
            long sequence = sequences[block];
            if (known(block, sequence) && sequence > 0 && history.issuedAt(sequence) > excluded) {
                findings.add(
                        "block %d holds write %d, which is behind position %d"
                                .formatted(block, sequence, position));
            }
        }
        return few(findings);
    }

    /** How many writes of the history the content includes, superseded ones too. */
    public long included(ContentSnapshot content) {
        long[] sequences = content.sequences();
        long count = 0;
        for (long sequence = 1; sequence <= history.issued(); sequence++) {
            if (sequences[history.block(sequence)] >= sequence) {
                count++;
            }
        }
        return count;
    }

    private List<String> everythingAcknowledgedBefore(long tick, ContentSnapshot content) {
        var findings = new ArrayList<>(content.damage());
        long[] sequences = content.sequences();
        for (int block = 0; block < sequences.length; block++) {
            if (!known(block, sequences[block])) {
                findings.add(
                        "block %d holds write %d, which was never sent to it"
                                .formatted(block, sequences[block]));
            }
        }
        long[] missing = newestAcknowledgedBefore(tick);
        for (int block = 0; block < sequences.length; block++) {
            if (missing[block] > sequences[block]) {
                findings.add(
                        "block %d holds write %d, but write %d was acknowledged"
                                .formatted(block, sequences[block], missing[block]));
            }
        }
        return few(findings);
    }

    private long[] newestAcknowledgedBefore(long tick) {
        var newest = new long[history.blocks()];
        for (long sequence = 1; sequence <= history.issued(); sequence++) {
            if (history.acknowledgedAt(sequence) < tick) {
                newest[history.block(sequence)] = sequence;
            }
        }
        return newest;
    }

    private boolean known(int block, long sequence) {
        return sequence == 0
                || (sequence > 0
                        && sequence <= history.issued()
                        && history.block(sequence) == block);
    }

    private static List<String> few(List<String> findings) {
        if (findings.size() <= FINDINGS) {
            return List.copyOf(findings);
        }
        var few = new ArrayList<>(findings.subList(0, FINDINGS));
        few.add("and " + (findings.size() - FINDINGS) + " more");
        return List.copyOf(few);
    }
}
