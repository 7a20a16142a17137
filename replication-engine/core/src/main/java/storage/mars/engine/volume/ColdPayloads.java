// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.Blocks;
import storage.mars.engine.log.LogAccess;
import storage.mars.engine.log.LogBatchReader.Batch;
import storage.mars.engine.log.LogFormat;
import storage.mars.engine.log.LogLocation;

/**
 * Fetches the blocks of a round that the log window no longer holds: from the segments, verified,
 * in the order of the log, a few reads at a time. Used by one round after the other. Owned by the
 * shard.
 */
final class ColdPayloads {

    /** As many as keep a device busy; each has a buffer of its own. */
    private static final int READS = 4;

    private final LogAccess log;
    private final Places places;
    private @Nullable Round round;
    private long[] missing = new long[64];
    private int count;
    private int next;
    private int underWay;
    private @Nullable String damage;
    private Consumer<@Nullable String> done = reason -> {};

    /** Where the blocks of a round go. */
    interface Places {

        /** Block {@code i} of the round lies in {@code from} at {@code offset}. */
        void put(int i, ByteBuffer from, int offset);
    }

    ColdPayloads(LogAccess log, Places places) {
        this.log = log;
        this.places = places;
    }

    /** Of {@code running} nothing is missing so far. */
    void begin(Round running) {
        round = running;
        count = 0;
    }

    /**
     * Block {@code i} of the round is missing. Packed as block of the log and index in the round,
     * so that one sort orders them by log position.
     */
    void add(int i) {
        if (count == missing.length) {
            missing = Arrays.copyOf(missing, count * 2);
        }
        missing[count++] = LogLocation.position(location(i)) | i;
    }

    /** {@code told} gets null when all are in place, else what cannot be read back and why. */
    void fetch(Consumer<@Nullable String> told) {
        Arrays.sort(missing, 0, count);
        next = 0;
        damage = null;
        done = told;
        underWay = 1;
        ended();
    }

    private void issue() {
        while (damage == null && next < count && underWay < READS) {
            int from = next;
            int to = endOfRead(from);
            next = to;
            underWay++;
            log.buffers().acquire(buffer -> read(from, to, buffer));
        }
    }

    /**
     * How many blocks from the one at {@code from} on one read will surely bring: those of its
     * frame, and of all frames that end before another one begins within the reach of the read.
     */
    private int endOfRead(int from) {
        long first = frame(from);
        int end = from;
        long current = first;
        for (int i = from; i < count && frame(i) <= first + LogFormat.MAX_FRAME; i++) {
            if (frame(i) != current) {
                current = frame(i);
                end = i;
            }
        }
        if (end > from) {
            return end;
        }
        while (end < count && frame(end) == first) {
            end++;
        }
        return end;
    }

    private void read(int from, int to, ByteBuffer buffer) {
        log.reader()
                .read(
                        frame(from),
                        log.tail().durable(),
                        log.history().get(),
                        null,
                        buffer,
                        batch -> take(from, to, batch));
    }

    private void take(int from, int to, Batch batch) {
        int i = from;
        while (i < to && position(i) < batch.to()) {
            places.put(index(i), batch.bytes(), (int) (position(i) - batch.from()));
            i++;
        }
        if (i == from && damage == null) {
            damage = "log at " + batch.to() + " cannot be read back: " + batch.fault();
        }
        if (i < to && damage == null) {
            read(i, to, batch.bytes());
            return;
        }
        log.buffers().release(batch.bytes());
        ended();
    }

    private void ended() {
        underWay--;
        issue();
        if (underWay == 0) {
            Consumer<@Nullable String> told = done;
            done = reason -> {};
            told.accept(damage);
        }
    }

    private long location(int i) {
        return Objects.requireNonNull(round).location(i);
    }

    private long position(int i) {
        return Blocks.floor(missing[i]);
    }

    private int index(int i) {
        return (int) (missing[i] & (Blocks.SIZE - 1));
    }

    private long frame(int i) {
        return LogLocation.frame(location(index(i)));
    }
}
