// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.BlockFile;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.Ports;

/**
 * The segments of one log, from the first that is kept to the one prepared ahead: finds them by
 * position, and lets go of what retention releases. Owned by the shard.
 */
public final class SegmentStore {

    private static final int MAX_SPARES = 24;

    private final SegmentLayout layout;
    private final SegmentFiles files;
    private final SpareSegments spares;
    private final NextSegment next;
    private final TreeMap<Long, Segment> segments = new TreeMap<>();
    private final List<Runnable> waiters = new ArrayList<>();
    private long budgetBytes;
    private long start;
    private long beginning;
    private long readyEnd;

    public SegmentStore(Ports ports, String directory, SegmentLayout layout, long budgetBytes) {
        this.layout = layout;
        this.budgetBytes = budgetBytes;
        files = new SegmentFiles(ports.storage(), directory, layout);
        spares = new SpareSegments(files, this::nameFreed);
        next = new NextSegment(ports.shard(), layout, spares, new Placed());
    }

    public SegmentLayout layout() {
        return layout;
    }

    /** Opens every file that is there; nothing is changed on disk. */
    public void open(Completion done) {
        files.open(
                new SegmentFiles.Found() {

                    @Override
                    public void segment(long first, BlockFile file) {
                        segments.put(first, new Segment(first, file));
                    }

                    @Override
                    public void spare(long number, BlockFile file) {
                        spares.found(number, file);
                    }
                },
                done);
    }

    /** Starts of the segments that exist, ascending. */
    List<Long> starts() {
        return List.copyOf(segments.keySet());
    }

    /** Position up to which files are there without a gap from {@code position} on. */
    void readyFrom(long position) {
        readyEnd = layout.start(position);
        next.beginAt(position);
        extendReady();
        start = layout.start(position);
        while (segments.containsKey(start - layout.segmentBytes())) {
            start -= layout.segmentBytes();
        }
        start = Math.max(start, beginning);
    }

    /** The log has begun at {@code position}: what is in files before it is no part of it. */
    void beginsAt(long position) {
        beginning = position;
        start = Math.max(start, position);
    }

    private void extendReady() {
        while (segments.containsKey(readyEnd)) {
            readyEnd += layout.segmentBytes();
        }
    }

    /** The log can be written below this position now. */
    public long readyEnd() {
        return readyEnd;
    }

    /**
     * The segment that holds {@code position}; null when it has been released or is not there yet.
     */
    public @Nullable Segment holding(long position) {
        return segments.get(layout.start(position));
    }

    /** First position from which on segments hold the log without a gap. */
    public long start() {
        return start;
    }

    public long usedBytes() {
        return ((long) segments.size() + spares.count()) * layout.segmentBytes();
    }

    public long budgetBytes() {
        return budgetBytes;
    }

    /** Less than two segments would never let the first one go, so it counts as two. */
    public void budgetBytes(long bytes) {
        budgetBytes = bytes;
        next.retryNow();
    }

    /** Why the next segment cannot be had, in words for the operator; null while all is well. */
    public @Nullable String stall() {
        return next.stall();
    }

    /** How often the next segment could not be had so far. */
    public int stalls() {
        return next.stalls();
    }

    /** Whether space that was released has still to come back. */
    public boolean isReleasing() {
        return spares.isAnyLeaving();
    }

    /**
     * Who is told, in a later turn, when the next segment cannot be had although it could before.
     */
    public void onStall(Runnable task) {
        next.onStall(task);
    }

    /** Runs {@code task} once, when {@link #readyEnd} has grown. */
    void whenReady(Runnable task) {
        waiters.add(task);
    }

    /** Sees to it that one segment beyond the one that holds {@code end} is, or will be, there. */
    void prepareBehind(long end) {
        next.prepareBehind(end);
    }

    private final class Placed implements NextSegment.Log {

        @Override
        public long readyEnd() {
            return readyEnd;
        }

        @Override
        public long budgetBytes() {
            return budgetBytes;
        }

        @Override
        public boolean isFull() {
            return usedBytes() + layout.segmentBytes()
                    > Math.max(budgetBytes, 2L * layout.segmentBytes());
        }

        @Override
        public void placed(long position, BlockFile file) {
            segments.put(position, new Segment(position, file));
            extendReady();
            List<Runnable> woken = List.copyOf(waiters);
            waiters.clear();
            woken.forEach(Runnable::run);
        }
    }

    /**
     * Releases every segment that ends at or below {@code position}: to be used again, or deleted.
     */
    public void release(long position) {
        while (!segments.isEmpty() && segments.firstKey() + layout.segmentBytes() <= position) {
            Segment segment = segments.pollFirstEntry().getValue();
            start = Math.max(start, segment.start + layout.segmentBytes());
            spares.released(segment, maxSpares());
        }
    }

    /** Undoes {@link Segment#pin}. */
    public void unpin(Segment segment) {
        if (segment.unpin()) {
            spares.recycle(segment, maxSpares());
        }
    }

    private void nameFreed() {
        next.retryNow();
    }

    /** As many as one checkpoint releases at a time, so that a busy log makes no new ones. */
    private int maxSpares() {
        return Math.clamp(budgetBytes / 2 / layout.segmentBytes(), 1, MAX_SPARES);
    }

    /** Gives back spare files that are not needed; called now and then. */
    public void trim() {
        spares.trim(maxSpares());
    }

    /**
     * Closes all files; those that are pinned when the last pin goes, and their names stay as they
     * are. {@code done} runs once, in this call or later, when no file is being made, renamed or
     * deleted any more: whoever opens the same directory before may lose what it writes.
     */
    public void close(Runnable done) {
        next.close();
        for (Segment segment : segments.values()) {
            if (segment.condemn()) {
                segment.file.close();
            }
        }
        segments.clear();
        spares.close(done);
    }
}
