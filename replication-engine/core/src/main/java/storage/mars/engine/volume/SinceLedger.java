// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import java.util.Arrays;
import storage.mars.engine.log.Invariant;

/**
 * How many index entries are not in the image since which log position: counts in buckets of log,
 * in a ring from the oldest bucket in use to the newest. A bucket keeps its smallest position
 * exactly until it is empty, so {@link #oldest} is always a position that was added (a frame
 * start), never above the smallest one held.
 */
final class SinceLedger {

    /** Position of an entry that is not counted: a version that is not durable yet. */
    static final long NEVER = Long.MAX_VALUE;

    private static final int BUCKET_SHIFT = 18;
    private static final int MIN_BUCKETS = 64;
    private static final int KEPT_BUCKETS = 1 << 14;

    private int[] counts = {};
    private long[] firsts = {};
    private long oldestBucket;
    private long newestBucket;
    private long total;

    void add(long since) {
        add(since, 1);
    }

    void add(long since, int entries) {
        if (since == NEVER || entries == 0) {
            return;
        }
        long bucket = since >> BUCKET_SHIFT;
        include(bucket);
        int i = slot(bucket);
        firsts[i] = counts[i] == 0 ? since : Math.min(firsts[i], since);
        counts[i] += entries;
        total += entries;
    }

    void remove(long since) {
        if (since == NEVER) {
            return;
        }
        long bucket = since >> BUCKET_SHIFT;
        Invariant.check(
                total > 0 && bucket >= oldestBucket && bucket <= newestBucket,
                "since is in the ledger",
                since,
                total);
        int i = slot(bucket);
        Invariant.check(counts[i] > 0, "since is counted", since, counts[i]);
        counts[i]--;
        total--;
        while (total > 0 && counts[slot(oldestBucket)] == 0) {
            oldestBucket++;
        }
    }

    /** A position at or below the smallest one held, itself once added, or {@link #NEVER}. */
    long oldest() {
        return total == 0 ? NEVER : firsts[slot(oldestBucket)];
    }

    void clear() {
        if (counts.length > KEPT_BUCKETS) {
            release();
        } else if (total > 0) {
            Arrays.fill(counts, 0);
        }
        total = 0;
    }

    /** Gives the memory back if nothing is counted. */
    void trim() {
        if (total == 0) {
            release();
        }
    }

    long memoryBytes() {
        return counts.length * (long) (Integer.BYTES + Long.BYTES);
    }

    private void release() {
        counts = new int[0];
        firsts = new long[0];
    }

    private int slot(long bucket) {
        return (int) bucket & (counts.length - 1);
    }

    private void include(long bucket) {
        long low = total == 0 ? bucket : Math.min(oldestBucket, bucket);
        long high = total == 0 ? bucket : Math.max(newestBucket, bucket);
        if (high - low >= counts.length) {
            grow(high - low + 1);
        }
        oldestBucket = low;
        newestBucket = high;
    }

    private void grow(long buckets) {
        Invariant.check(buckets <= 1 << 28, "span of the ledger", buckets, total);
        int size = Math.max(MIN_BUCKETS, Integer.highestOneBit((int) buckets - 1) << 1);
        int[] oldCounts = counts;
        long[] oldFirsts = firsts;
        counts = new int[size];
        firsts = new long[size];
        if (total == 0) {
            return;
        }
        for (long bucket = oldestBucket; bucket <= newestBucket; bucket++) {
            int from = (int) bucket & (oldCounts.length - 1);
            counts[slot(bucket)] = oldCounts[from];
            firsts[slot(bucket)] = oldFirsts[from];
        }
    }
}
