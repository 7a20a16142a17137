// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.Blocks;
import storage.mars.engine.log.FrameView;
import storage.mars.engine.log.FrameVisitor;
import storage.mars.engine.log.LogAccess;
import storage.mars.engine.log.LogBatchReader.Batch;
import storage.mars.engine.log.RecordType;

/**
 * Enters durable frames into the index, in log order: straight from memory when they have just
 * become durable, from the segments when it has been held back (paused apply) or has to begin again
 * (failed image sync). Owned by the shard.
 */
public final class IndexFeed {

    private final VolumeIndex index;
    private final LogAccess log;
    private final Listener listener;
    private final FrameVisitor entering;
    private long limit = Long.MAX_VALUE;
    private long fed;
    private long highestFed;
    private int generation;
    private boolean reading;
    private boolean stopped;

    /** Who is told; called on the shard. */
    public interface Listener {

        /** Everything durable below the limit is in the index now. */
        void fed();

        /** A frame that was durable cannot be read back from the log. */
        void logDamaged(String reason);
    }

    /** Continues at {@code position}: everything below is in the index or in the images. */
    public IndexFeed(VolumeIndex index, LogAccess log, long position, Listener listener) {
        this.index = index;
        this.log = log;
        this.fed = position;
        this.highestFed = position;
        this.listener = listener;
        this.entering = frame -> enter(frame, index);
    }

    /** Enters the data records of a durable frame. */
    public static void enter(FrameView frame, VolumeIndex index) {
        long since = frame.position();
        for (int i = 0; i < frame.recordCount(); i++) {
            RecordType type = frame.type(i);
            if (type == null || type.family() != RecordType.Family.DATA) {
                continue;
            }
            long block = frame.rangeOffset(i) >> Blocks.SHIFT;
            long count = frame.rangeLength(i) >> Blocks.SHIFT;
            if (type == RecordType.WRITE) {
                index.durableWrite(
                        frame.volume(i),
                        block,
                        (int) count,
                        frame.location(i),
                        frame.order(i),
                        since);
            } else {
                index.durableZero(frame.volume(i), block, count, frame.order(i), since);
            }
        }
    }

    /** Everything below is in the index or in the images. */
    public long position() {
        return fed;
    }

    /** Applied position for an index that is fed up to here only. */
    public long applied() {
        return index.applied(fed);
    }

    public boolean isCaughtUp() {
        return !reading && fed >= until();
    }

    /**
     * Nothing at or behind {@code position}, a frame boundary, enters the index until the limit is
     * moved.
     */
    public void limit(long position) {
        limit = position;
        advance();
    }

    /**
     * Begins again at {@code position}, from which on the log is entered once more, all that had
     * been entered.
     */
    void restart(long position) {
        generation++;
        fed = position;
        advance();
    }

    /**
     * What has been entered once is entered again by a restart, whatever the limit has become
     * since.
     */
    private long until() {
        return Math.min(Math.max(limit, highestFed), log.tail().durable());
    }

    private void fed(long position) {
        fed = position;
        highestFed = Math.max(highestFed, position);
    }

    /** The durable position or the limit has grown. */
    public void advance() {
        long until = until();
        if (stopped || reading || fed >= until) {
            return;
        }
        if (log.tail().memoryStart() <= fed) {
            log.tail().visit(fed, until, entering);
            fed(until);
            listener.fed();
            return;
        }
        reading = true;
        log.buffers().acquire(this::read);
    }

    private void read(ByteBuffer buffer) {
        int mine = generation;
        long until = Math.max(fed, until());
        log.reader()
                .read(fed, until, log.history().get(), null, buffer, batch -> entered(batch, mine));
    }

    private void entered(Batch batch, int of) {
        if (stopped || of != generation) {
            reading = false;
            log.buffers().release(batch.bytes());
            advance();
            return;
        }
        long until = Math.max(fed, until());
        log.reader().visit(batch, frame -> enterBelow(until, frame));
        fed(Math.min(batch.to(), until));
        @Nullable String fault = fed < until ? batch.fault() : null;
        if (fault == null && fed < until) {
            read(batch.bytes());
            return;
        }
        reading = false;
        log.buffers().release(batch.bytes());
        if (fault != null) {
            listener.logDamaged("log at " + fed + " cannot be read back: " + fault);
            return;
        }
        listener.fed();
        advance();
    }

    /** The limit may have come down while the batch was read. */
    private void enterBelow(long until, FrameView frame) {
        if (frame.position() < until) {
            enter(frame, index);
        }
    }

    /** Enters nothing any more and tells nobody. */
    public void stop() {
        stopped = true;
    }
}
