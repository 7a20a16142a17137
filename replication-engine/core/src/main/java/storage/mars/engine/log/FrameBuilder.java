// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.LogWindow.Chunk;
import storage.mars.engine.port.Clock;

/**
 * The primary's way into the log: gathers records into an open frame in the window, and seals it
 * when the writer is ready for it or it is full. A record has its position, payload copy and
 * checksum when {@link #append} returns; it is durable when the durable position has passed {@link
 * #awaitPosition}. Owned by the shard.
 */
public final class FrameBuilder implements FrameView.Stamp {

    private final LogTail tail;
    private final Clock clock;
    private final Checksum checksum = new Checksum();
    private final FrameView frame = new FrameView();
    private EpochId epoch = EpochId.NONE;
    private @Nullable Chunk chunk;
    private long base;
    private int used;
    private int records;
    private boolean open;

    public FrameBuilder(LogTail tail, Clock clock) {
        this.tail = tail;
        this.clock = clock;
    }

    /** Whose writership the following frames belong to; between frames only. */
    public void epoch(EpochId epoch) {
        Invariant.check(!open, "an epoch starts with a frame of its own");
        this.epoch = epoch;
    }

    /**
     * Sees to it that a record with that much payload can be appended next. False when there is no
     * memory or no prepared log space for it now; {@code control} records may use the reserves.
     */
    public boolean reserve(int payload, boolean control) {
        if (open && !fits(payload)) {
            seal();
        }
        if (open) {
            return spaceFor(base + used + payload, control);
        }
        int need = LogFormat.BLOCK + payload;
        Chunk place = prepareSegment(need, control) ? chunkFor(need, control) : null;
        if (place == null) {
            return false;
        }
        open(place);
        return true;
    }

    private @Nullable Chunk chunkFor(int bytes, boolean control) {
        Chunk place = tail.chunkFor(bytes, control);
        if (place == null) {
            tail.awaitMemory();
        }
        return place;
    }

    private boolean fits(int payload) {
        Chunk c = chunk;
        return records < LogFormat.MAX_RECORDS
                && used + payload <= LogFormat.MAX_FRAME
                && c != null
                && c.room() >= payload
                && tail.layout.room(base) >= used + payload;
    }

    private boolean spaceFor(long newEnd, boolean control) {
        boolean there =
                newEnd + (control ? 0 : LogTail.CONTROL_RESERVE) <= tail.segments.readyEnd();
        if (!there) {
            tail.awaitSpace();
        }
        return there;
    }

    /**
     * Ends the segment when the frame does not fit and starts the next one; false when space is not
     * ready.
     */
    private boolean prepareSegment(int need, boolean control) {
        SegmentLayout layout = tail.layout;
        boolean atStart = layout.isHeader(tail.end());
        if (!atStart && layout.room(tail.end()) < need) {
            if (!spaceFor(layout.end(tail.end()) + LogFormat.BLOCK + need, control) || !pad()) {
                return false;
            }
            atStart = true;
        }
        if (!spaceFor(tail.end() + (atStart ? LogFormat.BLOCK : 0) + need, control)) {
            return false;
        }
        return !atStart || startSegment(control);
    }

    private boolean pad() {
        Chunk place = chunkFor(LogFormat.BLOCK, true);
        if (place == null) {
            return false;
        }
        open(place);
        frame.putHeader(this, base, tail.layout.room(base), 0, true, tail.chain);
        finish(tail.layout.end(base));
        return true;
    }

    private boolean startSegment(boolean control) {
        long start = tail.end();
        Chunk place = tail.window.grow(start, control);
        if (place == null) {
            tail.awaitMemory();
            return false;
        }
        tail.verifier.putHeader(place.bytes(), 0, start, epoch, tail.chain);
        place.used = LogFormat.BLOCK;
        place.end = start + LogFormat.BLOCK;
        tail.advance(place.end);
        tail.segments.prepareBehind(start);
        return true;
    }

    private void open(Chunk place) {
        chunk = place;
        base = tail.end();
        int offset = place.used;
        ByteBuffer bytes = place.bytes();
        for (int i = 0; i < LogFormat.BLOCK; i += Long.BYTES) {
            bytes.putLong(offset + i, 0);
        }
        place.used += LogFormat.BLOCK;
        frame.wrap(bytes, offset);
        used = LogFormat.BLOCK;
        records = 0;
        open = true;
    }

    /**
     * Appends a record for which {@link #reserve} was true just before, with {@code length} payload
     * bytes from {@code from} of {@code source}. Returns the log position of its payload.
     */
    public long append(
            RecordType type, int volume, long offset, ByteBuffer source, int from, int length) {
        Chunk place = openChunk();
        boolean whole = length > 0 && length <= LogFormat.MAX_PAYLOAD && Blocks.aligned(length);
        Invariant.check(
                whole && fits(length),
                "a payload is of blocks and has been reserved",
                length,
                used);
        int at = place.used;
        place.bytes().put(at, source, from, length);
        frame.putRecord(records, type, volume, offset, length);
        frame.putPayload(records, used, length, checksum.of(place.bytes(), at, length));
        place.used += length;
        long position = base + used;
        used += length;
        records++;
        return position;
    }

    /** Appends a record without payload, for which {@link #reserve} was true just before. */
    public void appendRange(RecordType type, int volume, long offset, long length) {
        openChunk();
        Invariant.check(fits(0), "a record has been reserved", records, used);
        frame.putRecord(records, type, volume, offset, length);
        records++;
    }

    private Chunk openChunk() {
        Chunk place = chunk;
        if (!open || place == null) {
            throw new IllegalStateException("no frame is open");
        }
        return place;
    }

    /** Start of the frame that the last record went into. */
    public long frame() {
        return base;
    }

    /** Order of the last appended record among all of the log. */
    public long order() {
        return base + records - 1;
    }

    /** The last appended record is durable when the durable position has reached this. */
    public long awaitPosition() {
        return base + used;
    }

    /** Closes the open frame, if there is one: from now on it is a part of the log. */
    public void seal() {
        if (open) {
            frame.putHeader(this, base, used, records, false, tail.chain);
            finish(base + used);
        }
    }

    private void finish(long end) {
        Chunk place = openChunk();
        checksum.sealBlock(frame.buffer(), frame.offset());
        tail.chain.advance(frame.buffer(), frame.offset(), records);
        place.end = end;
        tail.advance(end);
        open = false;
    }

    @Override
    public long resource() {
        return tail.resource;
    }

    @Override
    public EpochId epoch() {
        return epoch;
    }

    @Override
    public long wallMicros() {
        return clock.wallMicros();
    }

    @Override
    public long durable() {
        return tail.durable();
    }
}
