// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import java.nio.ByteBuffer;
import storage.mars.engine.log.Blocks;
import storage.mars.engine.log.FrameView;
import storage.mars.engine.log.FrameVisitor;
import storage.mars.engine.log.LogAccess;
import storage.mars.engine.log.LogBatchReader.Batch;
import storage.mars.engine.log.RecordType;

/**
 * Enters durable frames into the index, in log order, as far as the index has room: straight from
 * memory when they have just become durable, from the segments when it has been held back (paused
 * apply, an index at its bound) or has to begin again (failed image sync). Owned by the shard.
 */
public final class IndexFeed {

    private static final long NOWHERE = Long.MAX_VALUE;

    private final VolumeIndex index;
    private final LogAccess log;
    private final Listener listener;
    private final FrameVisitor entering = this::enterIfRoom;
    private long limit = Long.MAX_VALUE;
    private long fed;
    private long highestFed;
    private long end;
    private long full = NOWHERE;
    private long zerosEntered;
    private int generation;
    private boolean reading;
    private boolean stopped;

    /** Who is told; called on the shard. */
    public interface Listener {

        /** More of the log is in the index, or the index has no room for what comes next. */
        void fed();

        /** A frame that was durable cannot be read back from the log. */
        void logDamaged(String reason);
    }

    /**
     * Continues at {@code position}: everything below is in the index or in the images. These may
     * hold any of what lies below {@code highest}.
     */
    public IndexFeed(
            VolumeIndex index, LogAccess log, long position, long highest, Listener listener) {
        this.index = index;
        this.log = log;
        this.fed = position;
        this.highestFed = highest;
        this.full = position < highest ? position : NOWHERE;
        this.listener = listener;
    }

    /** Enters the data records of a durable frame; returns how many of them are zero ranges. */
    public static int enter(FrameView frame, VolumeIndex index) {
        long since = frame.position();
        int zeros = 0;
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
                zeros++;
            }
        }
        return zeros;
    }

    /** Everything below is in the index or in the images. */
    public long position() {
        return fed;
    }

    /** Zero ranges entered so far. */
    long zerosEntered() {
        return zerosEntered;
    }

    /** Applied position for an index that is fed up to here only. */
    public long applied() {
        return index.applied(fed);
    }

    /** Nothing at or behind has ever been in the index or in the images. */
    public long highest() {
        return highestFed;
    }

    public boolean isCaughtUp() {
        return !reading && fed >= until();
    }

    /**
     * Whether the images may hold what is not in the index yet. Then only {@link #proceed} goes on
     * behind a pause, since older versions may come that must not meet a round.
     */
    boolean isBehind() {
        return fed < highestFed;
    }

    /** Whether it goes on when the index has room, after the end of a round. */
    boolean awaitsRoom() {
        return full == fed && !isCaughtUp();
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
        proceed();
    }

    /** Goes on if the index has room; no round runs. */
    void proceed() {
        full = NOWHERE;
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

    /** The durable position, the limit or the room in the index has grown. */
    public void advance() {
        long until = until();
        if (stopped || reading || fed >= until || isFull()) {
            return;
        }
        if (log.tail().memoryStart() <= fed) {
            end = until;
            full = NOWHERE;
            log.tail().visit(fed, until, entering);
            fed(Math.min(until, full));
            listener.fed();
            return;
        }
        reading = true;
        log.buffers().acquire(this::read);
    }

    private boolean isFull() {
        return full == fed && (isBehind() || !index.takesDurable(fed));
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
        end = until;
        full = NOWHERE;
        log.reader().visit(batch, entering);
        fed(Math.min(Math.min(batch.to(), until), full));
        boolean done = fed >= until || full == fed;
        if (!done && batch.fault() == null) {
            listener.fed();
            read(batch.bytes());
            return;
        }
        reading = false;
        log.buffers().release(batch.bytes());
        if (!done) {
            listener.logDamaged("log at " + fed + " cannot be read back: " + batch.fault());
            return;
        }
        listener.fed();
        advance();
    }

    /** The limit may have come down while the batch was read. */
    private void enterIfRoom(FrameView frame) {
        long position = frame.position();
        if (position >= Math.min(end, full)) {
            return;
        }
        if (index.takesDurable(position) || !carriesData(frame)) {
            zerosEntered += enter(frame, index);
        } else {
            full = position;
        }
    }

    private static boolean carriesData(FrameView frame) {
        for (int i = 0; i < frame.recordCount(); i++) {
            RecordType type = frame.type(i);
            if (type != null && type.family() == RecordType.Family.DATA) {
                return true;
            }
        }
        return false;
    }

    /** Enters nothing any more and tells nobody. */
    public void stop() {
        stopped = true;
    }
}
