// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.LogWindow.Chunk;

/**
 * The growing end of a log: what {@link FrameBuilder} (primary) or {@link FrameIntake} (secondary)
 * put behind it and {@link LogWriter} makes durable. Positions only grow: durable ≤ end. Owned by
 * the shard.
 */
public final class LogTail {

    /** Bytes of prepared log that only control records may use. */
    static final int CONTROL_RESERVE = 1 << 20;

    final long resource;
    final SegmentLayout layout;
    final SegmentStore segments;
    final LogWindow window;
    final FrameVerifier verifier;
    final Chain chain = new Chain();
    private final FrameView view = new FrameView();
    private long end;
    private long durable;
    private Runnable whenRoom = () -> {};
    private boolean awaitsMemory;
    private boolean awaitsSpace;

    /** A tail at {@code position}, a frame boundary, where everything before is durable. */
    public LogTail(
            long resource,
            SegmentStore segments,
            LogMemory memory,
            long position,
            Chain.Link link) {
        this.resource = resource;
        this.layout = segments.layout();
        this.segments = segments;
        this.window = new LogWindow(memory);
        this.verifier = new FrameVerifier(resource, layout);
        this.end = position;
        this.durable = position;
        chain.set(link);
        segments.readyFrom(position);
        segments.prepareBehind(position);
    }

    /** Position behind the last whole frame. */
    public long end() {
        return end;
    }

    /** Everything below is on stable storage. */
    public long durable() {
        return durable;
    }

    /** Chain value in front of the frame at {@link #end}. */
    public Chain.Link link() {
        return chain.link();
    }

    public FrameVerifier verifier() {
        return verifier;
    }

    void advance(long newEnd) {
        Invariant.check(newEnd > end, "the log grows", newEnd, end);
        end = newEnd;
    }

    void durable(long position) {
        Invariant.check(
                position > durable && position <= end, "durable follows the end", position, end);
        durable = position;
        // What is durable can be read from the segments, by whoever has not seen it yet.
        window.keepFrom(position);
    }

    /**
     * Who is told when memory or prepared log space may be there again that {@link
     * FrameBuilder#reserve} or {@link FrameIntake#take} did not find. It may run inside of any
     * call, so it only gives work to the shard.
     */
    public void whenRoom(Runnable task) {
        whenRoom = task;
    }

    /** No chunk could be had: {@link #whenRoom} is told when to ask again. */
    void awaitMemory() {
        if (!awaitsMemory) {
            awaitsMemory = true;
            window.whenFree(() -> {
                awaitsMemory = false;
                whenRoom.run();
            });
        }
    }

    /**
     * The log cannot be written as far as it would have to: {@link #whenRoom} is told when to ask
     * again.
     */
    void awaitSpace() {
        segments.prepareBehind(Math.max(0, end - 1));
        if (!awaitsSpace) {
            awaitsSpace = true;
            segments.whenReady(() -> {
                awaitsSpace = false;
                whenRoom.run();
            });
        }
    }

    /** See {@link FrameIntake#hasRoom}. */
    boolean hasRoom() {
        if (end + LogFormat.MAX_FRAME + CONTROL_RESERVE > segments.readyEnd()) {
            awaitSpace();
            return false;
        }
        if (!window.canGrow()) {
            awaitMemory();
            return false;
        }
        return true;
    }

    /** First position that is in memory, {@link #end} when nothing is. */
    public long memoryStart() {
        return window.start(end);
    }

    /** Gives the memory back; only when everything is durable and nothing in it is needed. */
    public boolean releaseIdleMemory() {
        boolean idle = durable == end && window.chunkCount() > 0 && !window.holdsNeeded();
        if (idle) {
            window.clear();
        }
        return idle;
    }

    /**
     * A chunk with room for {@code bytes} at {@link #end}, which is no segment start; null when
     * there is none now.
     */
    @Nullable Chunk chunkFor(int bytes, boolean control) {
        Chunk last = window.last();
        boolean fits =
                last != null
                        && last.end == end
                        && last.base + last.used == end
                        && last.room() >= bytes;
        return fits ? last : window.grow(end, control);
    }

    /**
     * Copies {@code length} bytes at {@code position} out of memory; false when they are not all
     * there.
     */
    public boolean copy(long position, int length, java.nio.ByteBuffer into, int at) {
        Chunk chunk = window.holding(position, length);
        if (chunk == null) {
            return false;
        }
        into.put(at, chunk.bytes(), chunk.offset(position), length);
        return true;
    }

    /** Where to borrow memory of this log; for one user. */
    public LogLoan newLoan() {
        return new LogLoan(window);
    }

    /**
     * Copies whole frames from {@code from} on, up to {@code limit} and the room of {@code into},
     * without crossing a segment. Returns the position behind the last; {@code from} when nothing
     * of it is in memory or fits, or no frame begins there: the position may be a member's word.
     */
    public long copyFrames(long from, long limit, java.nio.ByteBuffer into) {
        Chunk chunk = window.holding(from);
        if (chunk == null || !isBoundary(chunk, from)) {
            return from;
        }
        long position = from;
        int offset = chunk.offset(from);
        int start = offset;
        long segmentEnd = layout.end(from);
        while (position < limit && position < segmentEnd && offset < chunk.used) {
            boolean header = layout.isHeader(position);
            view.wrap(chunk.bytes(), offset);
            int stored = header ? LogFormat.BLOCK : view.storedLength();
            if (offset + stored - start > into.remaining()) {
                break;
            }
            position += header ? LogFormat.BLOCK : view.length();
            offset += stored;
        }
        int bytes = offset - start;
        into.put(into.position(), chunk.bytes(), start, bytes).position(into.position() + bytes);
        return position;
    }

    private boolean isBoundary(Chunk chunk, long position) {
        if (!Blocks.aligned(position)) {
            return false;
        }
        int offset = chunk.offset(position);
        String fault =
                layout.isHeader(position)
                        ? verifier.headerFault(chunk.bytes(), offset, position, null, null)
                        : verifier.descriptorFault(view.wrap(chunk.bytes(), offset), position);
        return fault == null;
    }

    /** Visits the frames of [from, to), all of which are in memory. */
    public void visit(long from, long to, FrameVisitor visitor) {
        long position = from;
        while (position < to) {
            Chunk chunk = window.holding(position);
            if (chunk == null) {
                throw new IllegalStateException("frame at " + position + " is not in memory");
            }
            if (layout.isHeader(position)) {
                position += LogFormat.BLOCK;
                continue;
            }
            view.wrap(chunk.bytes(), chunk.offset(position));
            position += view.length();
            visitor.frame(view);
        }
    }

    /** Gives all memory back; no write of it may be under way, see {@link LogWriter}. */
    public void close() {
        window.close();
    }
}
