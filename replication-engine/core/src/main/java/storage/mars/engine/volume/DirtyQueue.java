// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

/**
 * The keys of the dirty table in the order in which they became dirty: the oldest log first. An
 * item counts only while the table still holds its key with its since; the rest is skipped. Every
 * entry of the table has such an item.
 */
final class DirtyQueue {

    private static final int MIN_ITEMS = 64;
    private static final int KEPT_ITEMS = 1 << 16;
    private static final long[] NO_ITEMS = {};

    private final BlockTable table;
    private long[] items = NO_ITEMS;
    private int head;
    private int size;

    DirtyQueue(BlockTable table) {
        this.table = table;
    }

    void add(long key, long since) {
        if (size * 2 == items.length) {
            makeRoom();
        }
        set(size++, key, since);
    }

    /**
     * Takes the oldest key that is dirty out of the queue; {@link BlockKey#NONE} if there is none.
     */
    long poll() {
        while (size > 0) {
            long key = key(0);
            boolean live = live(0);
            head = (head + 1) & (items.length / 2 - 1);
            size--;
            if (live) {
                return key;
            }
        }
        return BlockKey.NONE;
    }

    /** Gives back most of a large queue that has become nearly empty. */
    void shrink() {
        int capacity = items.length / 2;
        if (capacity > KEPT_ITEMS && size < capacity >> 3) {
            resize(Math.max(KEPT_ITEMS, Integer.highestOneBit(size) << 2));
        }
    }

    void clear() {
        size = 0;
        if (items.length > KEPT_ITEMS * 2) {
            items = NO_ITEMS;
            head = 0;
        }
    }

    /** Gives the memory back if nothing is dirty. */
    void trim() {
        if (table.size() == 0) {
            size = 0;
            head = 0;
            items = NO_ITEMS;
        }
    }

    long memoryBytes() {
        return items.length * (long) Long.BYTES;
    }

    private void makeRoom() {
        int kept = 0;
        for (int i = 0; i < size; i++) {
            if (live(i)) {
                set(kept++, key(i), since(i));
            }
        }
        size = kept;
        if (size * 4 >= items.length) {
            grow();
        }
    }

    private void grow() {
        resize(Math.max(MIN_ITEMS, items.length));
    }

    private void resize(int capacity) {
        long[] resized = new long[capacity * 2];
        int untilEnd = Math.min(size * 2, items.length - head * 2);
        System.arraycopy(items, head * 2, resized, 0, untilEnd);
        System.arraycopy(items, 0, resized, untilEnd, size * 2 - untilEnd);
        items = resized;
        head = 0;
    }

    private boolean live(int i) {
        int slot = table.find(key(i));
        return slot != BlockTable.ABSENT && table.since(slot) == since(i);
    }

    private int at(int i) {
        return ((head + i) & (items.length / 2 - 1)) * 2;
    }

    private long key(int i) {
        return items[at(i)];
    }

    private long since(int i) {
        return items[at(i) + 1];
    }

    private void set(int i, long key, long since) {
        int at = at(i);
        items[at] = key;
        items[at + 1] = since;
    }
}
