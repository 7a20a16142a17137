// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import storage.mars.engine.log.LogLocation;

/** Walks the layers, newest first, over ascending keys of one volume. */
final class LookupWalk {

    private final Layer fresh;
    private final Layer dirty;
    private final Layer writing;
    private boolean durableOnly;
    private long location;
    private long order;

    LookupWalk(Layer fresh, Layer dirty, Layer writing) {
        this.fresh = fresh;
        this.dirty = dirty;
        this.writing = writing;
    }

    void run(long from, int maxBlocks, boolean withoutFresh, Lookup result) {
        durableOnly = withoutFresh;
        int volume = BlockKey.volume(from);
        if (dirty.isEmpty(volume)
                && writing.isEmpty(volume)
                && (durableOnly || fresh.isEmpty(volume))) {
            result.set(Lookup.Kind.IMAGE, 0, maxBlocks);
            return;
        }
        fresh.zeros().seek(from);
        dirty.zeros().seek(from);
        writing.zeros().seek(from);
        var kind = find(from);
        long first = location;
        long end = from + maxBlocks;
        long runEnd = kind == Lookup.Kind.LOG ? recordEnd(from, end) : kindEnd(kind, from, end);
        result.set(kind, first, runEnd - from);
    }

    private long recordEnd(long from, long end) {
        long first = location;
        long record = order;
        long key = from + 1;
        while (key < end
                && find(key) == Lookup.Kind.LOG
                && order == record
                && location == LogLocation.plus(first, key - from)) {
            key++;
        }
        return key;
    }

    /** Where no block version can interrupt, the walk goes from range boundary to boundary. */
    private long kindEnd(Lookup.Kind kind, long from, long end) {
        int volume = BlockKey.volume(from);
        boolean leaps =
                dirty.blocks().size(volume) == 0
                        && writing.blocks().size(volume) == 0
                        && (durableOnly || fresh.blocks().size(volume) == 0);
        long key = from;
        do {
            key = leaps ? Math.min(end, boundaryBehind(key)) : key + 1;
        } while (key < end && find(key) == kind);
        return key;
    }

    /** The newest layer that answers ends the search, so the walks of the others may lag. */
    private long boundaryBehind(long key) {
        long next = Math.min(dirty.zeros().boundary(key), writing.zeros().boundary(key));
        return durableOnly ? next : Math.min(next, fresh.zeros().boundary(key));
    }

    private Lookup.Kind find(long key) {
        if (!durableOnly && found(fresh, key)) {
            return Lookup.Kind.LOG;
        }
        if (!durableOnly && fresh.zeros().covers(key)) {
            return Lookup.Kind.ZERO;
        }
        if (found(dirty, key)) {
            return Lookup.Kind.LOG;
        }
        if (dirty.zeros().covers(key)) {
            return Lookup.Kind.ZERO;
        }
        if (found(writing, key)) {
            return Lookup.Kind.LOG;
        }
        return writing.zeros().covers(key) ? Lookup.Kind.ZERO : Lookup.Kind.IMAGE;
    }

    private boolean found(Layer layer, long key) {
        var table = layer.blocks();
        if (table.size(BlockKey.volume(key)) == 0) {
            return false;
        }
        int slot = table.find(key);
        if (slot == BlockTable.ABSENT) {
            return false;
        }
        location = table.location(slot);
        order = table.order(slot);
        return true;
    }
}
