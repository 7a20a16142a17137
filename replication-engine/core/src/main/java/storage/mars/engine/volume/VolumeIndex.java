// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import storage.mars.engine.log.Invariant;
import storage.mars.engine.log.LogLocation;

/**
 * Where the newest content of every block of a resource is while the image does not have it. Owned
 * by the shard of the resource; writes and lookups allocate only to grow.
 *
 * <p>Three layers, each newer than the next: <i>fresh</i> (admitted, not durable), <i>dirty</i>
 * (durable, not in the image) and <i>writing</i> (taken by the running write-back round). A version
 * has a location and an <b>order</b>: the position of its frame plus the number of its record in
 * the frame. Locations cannot stand for the order, since payload lies behind the descriptor block:
 * a zero range, which has none, would always lose against the writes before it in its frame.
 *
 * <p>{@code since} is the start of the frame of the oldest version of an entry's blocks that may be
 * missing in the image; the smallest one is where replay has to start.
 */
public final class VolumeIndex {

    /** At most so many dirty neighbours on each side join a block in a round: 1 MiB. */
    private static final int NEIGHBOURS = 256;

    private final IndexMemory memory;
    private final SinceLedger ledger = new SinceLedger();
    private final Layer fresh = new Layer(ledger);
    private final Layer dirty = new Layer(ledger);
    private final Layer writing = new Layer(ledger);
    private final DirtyQueue queue = new DirtyQueue(dirty.blocks());
    private final Round round = new Round(writing);
    private final LookupWalk walk = new LookupWalk(fresh, dirty, writing);
    private boolean roundRuns;
    private long roundsEnded;
    private long newestAdmitted = -1;
    private long newestDurable = -1;
    private long newestAtTrim = -1;
    private int counted;

    /** An index that counts its entries in {@code memory}. */
    public VolumeIndex(IndexMemory memory) {
        this.memory = memory;
    }

    /** A write was admitted: {@code count} blocks of one record, its payload contiguous. */
    public void admitWrite(int volume, long firstBlock, int count, long location, long order) {
        long key = BlockKey.of(volume, firstBlock, count);
        admitted(order);
        for (int i = 0; i < count; i++) {
            var table = fresh.blocks();
            long at = LogLocation.plus(location, i);
            int slot = table.find(key + i);
            if (slot == BlockTable.ABSENT) {
                table.insert(key + i, at, order, SinceLedger.NEVER);
            } else {
                table.replace(slot, at, order);
            }
        }
        count();
    }

    /** A zero range was admitted. */
    public void admitZero(int volume, long firstBlock, long count, long order) {
        long key = BlockKey.of(volume, firstBlock, count);
        admitted(order);
        fresh.addZero(key, key + count, order, SinceLedger.NEVER);
        count();
    }

    /**
     * A write is durable. In log order, except after a failed image sync: then <i>every</i> record
     * from the checkpoint to the durable position comes again, before the next round and the next
     * lookup. An older version never replaces a newer one, but lowers its since.
     */
    public void durableWrite(
            int volume, long firstBlock, int count, long location, long order, long since) {
        long key = BlockKey.of(volume, firstBlock, count);
        boolean again = durable(order, since);
        if (fresh.blocks().size(volume) > 0) {
            removeFresh(key, count, order);
        }
        int inserted = 0;
        for (int i = 0; i < count; i++) {
            if (again && dirty.zeros().supersedes(key + i, order, since)) {
                continue;
            }
            if (putDirty(key + i, LogLocation.plus(location, i), order, since)) {
                inserted++;
            }
        }
        ledger.add(since, inserted);
        count();
    }

    /**
     * A zero range is durable, on the terms of {@link #durableWrite}. Takes over the smallest since
     * of all that it covers.
     */
    public void durableZero(int volume, long firstBlock, long count, long order, long since) {
        long key = BlockKey.of(volume, firstBlock, count);
        durable(order, since);
        if (fresh.zeros().size(volume) > 0) {
            fresh.zeros().remove(key, key + count, order);
        }
        dirty.addZero(key, key + count, order, since);
        count();
    }

    /**
     * Finds the longest run of one kind from {@code block}, at most {@code maxBlocks}. Constant
     * time where the volume has no entry; else up to one step per block.
     */
    public void lookup(int volume, long block, int maxBlocks, boolean durableOnly, Lookup result) {
        walk.run(BlockKey.of(volume, block, maxBlocks), maxBlocks, durableOnly, result);
    }

    /**
     * Takes all dirty zero ranges and up to {@code maxBlocks} dirty blocks: the oldest log first,
     * so {@link #applied} gets on in every round, each with its dirty neighbours. False, and no
     * round, if nothing is dirty.
     */
    public boolean startRound(int maxBlocks) {
        Invariant.check(!roundRuns, "one round at a time");
        Invariant.check(maxBlocks > 0, "a round takes blocks");
        if (dirty.isEmpty()) {
            return false;
        }
        roundRuns = true;
        dirty.swapZeros(writing);
        while (round.blocks() < maxBlocks) {
            long key = queue.poll();
            if (key == BlockKey.NONE) {
                break;
            }
            take(key, dirty.blocks().find(key));
            takeNeighbours(key, 1, Math.min(NEIGHBOURS, maxBlocks - round.blocks()));
            takeNeighbours(key, -1, Math.min(NEIGHBOURS, maxBlocks - round.blocks()));
        }
        round.begin();
        return true;
    }

    /** Grows with the end of each round: images have been written to since it was smaller. */
    public long roundsEnded() {
        return roundsEnded;
    }

    /** The running round. */
    public Round round() {
        Invariant.check(roundRuns, "a round runs");
        return round;
    }

    /** All of the round is in the images. */
    public void roundDone() {
        Invariant.check(roundRuns, "a round runs");
        dropWriting();
    }

    /**
     * The images may hold any part of the round: all of it is dirty again, but for what is newer.
     */
    public void roundFailed() {
        Invariant.check(roundRuns, "a round runs");
        dirty.swapZeros(writing);
        var newer = writing.zeros();
        for (int i = 0; i < round.blocks(); i++) {
            mergeBack(round.key(i), newer);
        }
        for (int row = newer.first(); row != ZeroRanges.NONE; row = newer.next(row)) {
            dirty.zeros().add(newer.start(row), newer.end(row), newer.order(row), newer.since(row));
        }
        dropWriting();
    }

    /**
     * Every record below is in the images (not yet synced): a frame start, or {@code durable} when
     * nothing is missing. Goes back only when older versions come again.
     */
    public long applied(long durable) {
        return Math.min(durable, ledger.oldest());
    }

    /** Whether a round would find something to do. */
    public boolean isDirty() {
        return !dirty.isEmpty();
    }

    /** Block versions in all layers. */
    public int blocks() {
        return fresh.blocks().size() + dirty.blocks().size() + writing.blocks().size();
    }

    /** Zero ranges in all layers. */
    public int zeroRanges() {
        return fresh.zeros().size() + dirty.zeros().size() + writing.zeros().size();
    }

    public long memoryBytes() {
        return fresh.memoryBytes()
                + dirty.memoryBytes()
                + writing.memoryBytes()
                + queue.memoryBytes()
                + ledger.memoryBytes()
                + round.memoryBytes();
    }

    /** Forgets everything, a running round too: none of its image operations may be in flight. */
    public void clear() {
        fresh.clear();
        dirty.clear();
        writing.clear();
        queue.clear();
        ledger.clear();
        round.clear();
        roundRuns = false;
        newestAdmitted = -1;
        newestDurable = -1;
        count();
    }

    /** Whether so many more entries may be admitted; if not, the end of a round may change that. */
    public boolean hasRoom(long more) {
        return memory.hasRoom(counted, more);
    }

    /**
     * Whether the records of the frame at {@code position} may become durable here: those that were
     * admitted need no more room. If not, the end of a round may change that.
     */
    public boolean takesDurable(long position) {
        boolean admitted = position > newestDurable && position <= newestAdmitted;
        return admitted || memory.hasRoom(counted - fresh.entries(), 1);
    }

    /** To be called now and then: the second call without a change between gives memory back. */
    public void trimWhenIdle() {
        long newest = Math.max(newestAdmitted, newestDurable);
        if (newest == newestAtTrim && !roundRuns) {
            trim();
        }
        newestAtTrim = newest;
    }

    /** Gives back the memory of what is empty. */
    void trim() {
        fresh.trim();
        dirty.trim();
        writing.trim();
        queue.trim();
        ledger.trim();
        round.trim();
    }

    private void admitted(long order) {
        Invariant.check(order > newestAdmitted, "admission order grows", order, newestAdmitted);
        Invariant.check(order > newestDurable, "admitted after durable", order, newestDurable);
        newestAdmitted = order;
    }

    /** Whether this is a version from before the newest durable one. */
    private boolean durable(long order, long since) {
        Invariant.check(since >= 0 && since <= order, "since is not behind it", since, order);
        boolean again = order < newestDurable;
        Invariant.check(
                !again || !roundRuns, "older versions between rounds", order, newestDurable);
        newestDurable = Math.max(newestDurable, order);
        return again;
    }

    private void removeFresh(long key, int count, long order) {
        var table = fresh.blocks();
        for (int i = 0; i < count; i++) {
            int slot = table.find(key + i);
            if (slot != BlockTable.ABSENT && table.order(slot) == order) {
                table.remove(slot);
            }
        }
    }

    /** Whether the key was absent; then {@code since} is not yet in the ledger. */
    private boolean putDirty(long key, long location, long order, long since) {
        var table = dirty.blocks();
        int slot = table.find(key);
        if (slot == BlockTable.ABSENT) {
            table.insert(key, location, order, since);
            queue.add(key, since);
            return true;
        }
        if (order >= table.order(slot)) {
            table.replace(slot, location, order);
        }
        if (since < table.since(slot)) {
            table.lowerSince(slot, since);
            queue.add(key, since);
        }
        return false;
    }

    private void take(long key, int slot) {
        var from = dirty.blocks();
        writing.blocks().insert(key, from.location(slot), from.order(slot), from.since(slot));
        from.detach(slot);
        round.add(key);
    }

    private void takeNeighbours(long key, int step, int max) {
        for (int i = 1; i <= max; i++) {
            long neighbour = key + (long) i * step;
            int slot = dirty.blocks().find(neighbour);
            if (slot == BlockTable.ABSENT) {
                return;
            }
            take(neighbour, slot);
        }
    }

    private void mergeBack(long key, ZeroRanges newer) {
        var from = writing.blocks();
        int slot = from.find(key);
        long since = from.since(slot);
        if (newer.supersedes(key, from.order(slot), since)) {
            return;
        }
        if (putDirty(key, from.location(slot), from.order(slot), since)) {
            ledger.add(since);
        }
    }

    /** Empties the writing layer, also in the ledger. */
    private void dropWriting() {
        roundsEnded++;
        var table = writing.blocks();
        for (int i = 0; i < round.blocks(); i++) {
            ledger.remove(table.since(table.find(round.key(i))));
        }
        var zeros = writing.zeros();
        for (int row = zeros.first(); row != ZeroRanges.NONE; row = zeros.next(row)) {
            ledger.remove(zeros.since(row));
        }
        writing.clear();
        round.clear();
        roundRuns = false;
        fresh.shrink();
        dirty.shrink();
        queue.shrink();
        count();
    }

    private void count() {
        int entries = blocks() + zeroRanges();
        memory.changed(entries - counted);
        counted = entries;
    }
}
