// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import java.util.Arrays;
import storage.mars.engine.log.Invariant;

/**
 * Block versions of one layer by key: open addressing with linear probing in one array of longs,
 * four to a slot (key, location, order, since). Deletion shifts back, so there are no tombstones. A
 * slot number is good until the next change.
 */
final class BlockTable {

    static final int ABSENT = -1;

    private static final int LOCATION = 1;
    private static final int ORDER = 2;
    private static final int SINCE = 3;
    private static final int STRIDE_SHIFT = 2;

    private static final int MIN_CAPACITY = 64;
    private static final int MAX_CAPACITY = 1 << 28;

    /** A table with more slots is given back as soon as it is empty: 1 MiB. */
    private static final int KEPT_CAPACITY = 1 << 15;

    private static final long[] NO_SLOTS = {};

    private final SinceLedger ledger;
    private final int[] perVolume = new int[BlockKey.VOLUMES];
    private long[] slots = NO_SLOTS;
    private int capacity;
    private int size;

    BlockTable(SinceLedger ledger) {
        this.ledger = ledger;
    }

    int size() {
        return size;
    }

    int size(int volume) {
        return perVolume[volume];
    }

    long key(int slot) {
        return slots[slot << STRIDE_SHIFT];
    }

    long location(int slot) {
        return slots[(slot << STRIDE_SHIFT) + LOCATION];
    }

    long order(int slot) {
        return slots[(slot << STRIDE_SHIFT) + ORDER];
    }

    long since(int slot) {
        return slots[(slot << STRIDE_SHIFT) + SINCE];
    }

    /** The slot of {@code key}, or {@link #ABSENT}. */
    int find(long key) {
        if (size == 0) {
            return ABSENT;
        }
        int mask = capacity - 1;
        for (int slot = home(key); ; slot = (slot + 1) & mask) {
            long found = slots[slot << STRIDE_SHIFT];
            if (found == key) {
                return slot;
            }
            if (found == BlockKey.NONE) {
                return ABSENT;
            }
        }
    }

    /**
     * Adds a key that is absent; the ledger is the caller's, who adds a record's blocks at once.
     */
    void insert(long key, long location, long order, long since) {
        if ((size + 1) * 5L > capacity * 3L) {
            resize(Math.max(MIN_CAPACITY, capacity << 1));
        }
        int slot = freeSlot(key);
        int at = slot << STRIDE_SHIFT;
        slots[at] = key;
        slots[at + LOCATION] = location;
        slots[at + ORDER] = order;
        slots[at + SINCE] = since;
        size++;
        perVolume[BlockKey.volume(key)]++;
    }

    void replace(int slot, long location, long order) {
        int at = slot << STRIDE_SHIFT;
        slots[at + LOCATION] = location;
        slots[at + ORDER] = order;
    }

    void lowerSince(int slot, long since) {
        ledger.add(since);
        ledger.remove(since(slot));
        slots[(slot << STRIDE_SHIFT) + SINCE] = since;
    }

    /** Removes the entry and what it has in the ledger. */
    void remove(int slot) {
        ledger.remove(since(slot));
        detach(slot);
    }

    /** Removes the entry and leaves its place in the ledger to the caller. */
    void detach(int slot) {
        size--;
        perVolume[BlockKey.volume(key(slot))]--;
        if (size == 0 && capacity > KEPT_CAPACITY) {
            release();
        } else {
            closeGap(slot);
        }
    }

    /**
     * Removes the versions in {@code [from, to)} of one volume that are older than {@code order};
     * returns the smallest of their since values and {@code since}.
     */
    long removeOlder(long from, long to, long order, long since) {
        if (perVolume[BlockKey.volume(from)] == 0) {
            return since;
        }
        return to - from <= capacity
                ? probeOlder(from, to, order, since)
                : scanOlder(from, to, order, since);
    }

    private long probeOlder(long from, long to, long order, long since) {
        int volume = BlockKey.volume(from);
        long oldest = since;
        for (long key = from; key < to && perVolume[volume] > 0; key++) {
            int slot = find(key);
            if (slot != ABSENT && order(slot) < order) {
                oldest = Math.min(oldest, since(slot));
                remove(slot);
            }
        }
        return oldest;
    }

    /** A removal may shift the next entry into the slot, so that slot is looked at again. */
    private long scanOlder(long from, long to, long order, long since) {
        int volume = BlockKey.volume(from);
        long oldest = since;
        int slot = 0;
        while (slot < capacity && perVolume[volume] > 0) {
            long key = key(slot);
            if (key >= from && key < to && order(slot) < order) {
                oldest = Math.min(oldest, since(slot));
                remove(slot);
            } else {
                slot++;
            }
        }
        return oldest;
    }

    /** Forgets all entries; the ledger is the caller's. */
    void clear() {
        if (capacity > KEPT_CAPACITY) {
            release();
        } else if (size > 0) {
            Arrays.fill(slots, 0);
        }
        size = 0;
        Arrays.fill(perVolume, 0);
    }

    /** Gives back most of a large table that has become nearly empty. */
    void shrink() {
        if (capacity > KEPT_CAPACITY && size < capacity >> 3) {
            resize(Math.max(KEPT_CAPACITY, Integer.highestOneBit(size) << 2));
        }
    }

    /** Gives the memory back if the table is empty. */
    void trim() {
        if (size == 0) {
            release();
        }
    }

    long memoryBytes() {
        return slots.length * (long) Long.BYTES;
    }

    private void release() {
        slots = NO_SLOTS;
        capacity = 0;
    }

    /** Four neighbouring blocks share 128 bytes; the groups are spread by a full mix. */
    private int home(long key) {
        long hash = (key >>> 2) * 0x9E37_79B9_7F4A_7C15L;
        hash = (hash ^ (hash >>> 32)) * 0xD6E8_FEB8_6659_FD93L;
        return (((int) (hash >>> 32) << 2) | ((int) key & 3)) & (capacity - 1);
    }

    private int freeSlot(long key) {
        int slot = home(key);
        while (slots[slot << STRIDE_SHIFT] != BlockKey.NONE) {
            slot = (slot + 1) & (capacity - 1);
        }
        return slot;
    }

    private void closeGap(int removed) {
        int mask = capacity - 1;
        int gap = removed;
        for (int slot = (gap + 1) & mask; key(slot) != BlockKey.NONE; slot = (slot + 1) & mask) {
            if (((slot - home(key(slot))) & mask) >= ((slot - gap) & mask)) {
                System.arraycopy(
                        slots, slot << STRIDE_SHIFT, slots, gap << STRIDE_SHIFT, 1 << STRIDE_SHIFT);
                gap = slot;
            }
        }
        slots[gap << STRIDE_SHIFT] = BlockKey.NONE;
    }

    private void resize(int newCapacity) {
        Invariant.check(newCapacity <= MAX_CAPACITY, "size of a block table", newCapacity, size);
        long[] old = slots;
        slots = new long[newCapacity << STRIDE_SHIFT];
        capacity = newCapacity;
        for (int at = 0; at < old.length; at += 1 << STRIDE_SHIFT) {
            if (old[at] != BlockKey.NONE) {
                int to = freeSlot(old[at]) << STRIDE_SHIFT;
                System.arraycopy(old, at, slots, to, 1 << STRIDE_SHIFT);
            }
        }
    }
}
