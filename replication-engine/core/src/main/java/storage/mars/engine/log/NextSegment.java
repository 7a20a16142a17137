// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.SpareSegments.Spare;
import storage.mars.engine.port.BlockFile;
import storage.mars.engine.port.Shard;

/**
 * Keeps the next segment of a log prepared, from a spare or a new file. Space is taken only here;
 * lack of it is reported as a stall and tried again, never an error to a client. Owned by the
 * shard.
 */
final class NextSegment {

    private static final long RETRY_NANOS = 500_000_000L;

    private final Shard shard;
    private final SegmentLayout layout;
    private final SpareSegments spares;
    private final Log log;
    private long wantedBehind;
    private boolean preparing;
    private boolean closed;
    private @Nullable String stall;
    private int stalls;
    private Runnable onStall = () -> {};
    private Shard.@Nullable Timer retry;

    /** The segments that are there. */
    interface Log {

        /** Where the next one begins. */
        long readyEnd();

        long budgetBytes();

        /** Whether one more would be above the budget. */
        boolean isFull();

        void placed(long start, BlockFile file);
    }

    NextSegment(Shard shard, SegmentLayout layout, SpareSegments spares, Log log) {
        this.shard = shard;
        this.layout = layout;
        this.spares = spares;
        this.log = log;
    }

    @Nullable String stall() {
        return stall;
    }

    int stalls() {
        return stalls;
    }

    void onStall(Runnable task) {
        onStall = task;
    }

    /** The log ends at {@code position}; nothing is prepared yet. */
    void beginAt(long position) {
        wantedBehind = position;
    }

    void prepareBehind(long end) {
        wantedBehind = Math.max(wantedBehind, end);
        prepare();
    }

    private void prepare() {
        if (preparing || closed || retry != null || log.readyEnd() > layout.end(wantedBehind)) {
            return;
        }
        preparing = true;
        Spare spare = spares.poll();
        if (spare != null) {
            place(spare);
        } else if (log.isFull() && log.readyEnd() > layout.start(wantedBehind)) {
            stalled("the log has reached its budget of " + log.budgetBytes() + " bytes");
        } else {
            create();
        }
    }

    private void create() {
        spares.create((spare, failure) -> {
            if (spare != null) {
                place(spare);
            } else {
                stalled("no segment can be made: " + failure);
            }
        });
    }

    private void place(Spare spare) {
        if (closed) {
            spare.file().close();
            return;
        }
        long start = log.readyEnd();
        if (spares.isLeaving(start)) {
            spares.giveBack(spare);
            stalled("the former segment of that name is still read");
            return;
        }
        spares.place(
                spare,
                start,
                failure -> {
                    if (closed) {
                        spare.file().close();
                    } else if (failure != null) {
                        spares.discard(spare);
                        stalled("no segment can be placed: " + failure);
                    } else {
                        preparing = false;
                        stall = null;
                        log.placed(start, spare.file());
                        prepare();
                    }
                });
    }

    private void stalled(String reason) {
        preparing = false;
        stalls++;
        if (stall == null) {
            shard.execute(onStall);
        }
        stall = reason;
        if (retry == null && !closed) {
            retry =
                    shard.schedule(
                            RETRY_NANOS,
                            () -> {
                                retry = null;
                                prepare();
                            });
        }
    }

    /** What it may have waited for has come. */
    void retryNow() {
        if (stall != null && !closed) {
            cancelRetry();
            prepare();
        }
    }

    private void cancelRetry() {
        if (retry != null) {
            retry.cancel();
            retry = null;
        }
    }

    void close() {
        closed = true;
        cancelRetry();
    }
}
