// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The epochs of a log in order: each starts where the one before it ends, terms and sequences grow,
 * and only the last may be open. Immutable. Two histories of one resource share a prefix, the end
 * of which is the fork point.
 */
public record EpochHistory(List<Epoch> epochs) {

    /** As many as a metadata slot and a message hold. */
    public static final int MAX_EPOCHS = 1000;

    public static final EpochHistory EMPTY = new EpochHistory(List.of());

    public EpochHistory {
        epochs = List.copyOf(epochs);
        for (int i = 1; i < epochs.size(); i++) {
            Epoch before = epochs.get(i - 1);
            Epoch epoch = epochs.get(i);
            if (before.end() != epoch.start() || before.id().compareTo(epoch.id()) >= 0) {
                throw new IllegalArgumentException("epoch " + epoch + " does not follow " + before);
            }
        }
    }

    public boolean isEmpty() {
        return epochs.isEmpty();
    }

    /** The newest epoch. */
    public Epoch last() {
        return epochs.getLast();
    }

    /** Name of the newest epoch, {@link EpochId#NONE} when there is none. */
    public EpochId lastId() {
        return isEmpty() ? EpochId.NONE : last().id();
    }

    /**
     * This history as a log has it that ends at {@code position}: epochs without a byte below it
     * are dropped.
     */
    public EpochHistory endedAt(long position) {
        List<Epoch> kept = new ArrayList<>(epochs.size());
        for (Epoch epoch : epochs) {
            if (epoch.start() < position) {
                kept.add(epoch.end() > position ? epoch.endedAt(position) : epoch);
            }
        }
        return new EpochHistory(kept);
    }

    /** This history, ended at {@code start}, continued by a new epoch from there on. */
    public EpochHistory startedAt(long start, EpochId id, long writer) {
        List<Epoch> grown = new ArrayList<>(endedAt(start).epochs);
        grown.add(new Epoch(id, writer, start, Epoch.OPEN));
        return new EpochHistory(grown);
    }

    /**
     * This history without the epochs that end below {@code position}, but for the one that is
     * last. The one that ends there stays: a log that ends there too has it as its last.
     */
    public EpochHistory prunedBelow(long position) {
        int first = 0;
        while (first < epochs.size() - 1 && epochs.get(first).end() < position) {
            first++;
        }
        return first == 0 ? this : new EpochHistory(epochs.subList(first, epochs.size()));
    }

    /**
     * This history with the epochs in front that {@code longer} knows before the first one here; as
     * it is when {@code longer} does not know that one.
     */
    public EpochHistory precededBy(EpochHistory longer) {
        for (int i = 1; i < longer.epochs.size() && !isEmpty(); i++) {
            if (longer.epochs.get(i).id().equals(epochs.getFirst().id())) {
                List<Epoch> joined = new ArrayList<>(longer.epochs.subList(0, i));
                joined.addAll(epochs);
                return new EpochHistory(joined);
            }
        }
        return this;
    }

    /**
     * The epoch that wrote the bytes at {@code position}; null when none did or it has been pruned.
     */
    public @Nullable Epoch at(long position) {
        for (int i = epochs.size() - 1; i >= 0; i--) {
            if (epochs.get(i).contains(position)) {
                return epochs.get(i);
            }
        }
        return null;
    }

    /**
     * How far a log that has {@code mine} bytes of this history and one that has {@code theirs}
     * bytes of the other agree: the fork point when both go on behind it, else the smaller of the
     * two ends. {@link #UNRELATED} when what is known of both has no epoch in common although both
     * have bytes.
     */
    public long commonEnd(long mine, EpochHistory other, long theirs) {
        long agreed = UNRELATED;
        for (Epoch epoch : epochs) {
            for (Epoch candidate : other.epochs) {
                if (epoch.id().id() == candidate.id().id()) {
                    agreed =
                            Math.min(
                                    Math.min(epoch.end(), mine), Math.min(candidate.end(), theirs));
                }
            }
        }
        return agreed == UNRELATED && (mine == 0 || theirs == 0) ? 0 : agreed;
    }

    public static final long UNRELATED = -1;
}
