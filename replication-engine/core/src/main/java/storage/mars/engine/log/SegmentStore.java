// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.BlockFile;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Ports;
import storage.mars.engine.port.Shard;
import storage.mars.engine.port.Storage;

/**
 * The segment files of one log: finds them, keeps the next one prepared, recycles what retention releases. Space is
 * taken only here, when a segment is prepared; lack of it is reported as a stall and tried again, never an error to
 * a client. Owned by the shard.
 */
public final class SegmentStore {

    private static final long RETRY_NANOS = 500_000_000L;
    private static final String SPARE = "spare-";

    private final Ports ports;
    private final String directory;
    private final SegmentLayout layout;
    private final TreeMap<Long, Segment> segments = new TreeMap<>();
    private final ArrayDeque<Spare> spares = new ArrayDeque<>();
    private final List<Runnable> waiters = new ArrayList<>();
    private long budgetBytes;
    private long readyEnd;
    private long recycling;
    private long spareNumber;
    private boolean preparing;
    private boolean closed;
    private @Nullable String stall;
    private Shard.@Nullable Timer retry;

    private record Spare(String name, BlockFile file) {}

    public SegmentStore(Ports ports, String directory, SegmentLayout layout, long budgetBytes) {
        this.ports = ports;
        this.directory = directory;
        this.layout = layout;
        this.budgetBytes = budgetBytes;
    }

    public SegmentLayout layout() {
        return layout;
    }

    /** Opens every file that is there; nothing is changed on disk. */
    public void open(Completion done) {
        ports.storage().list(directory, (names, failure) -> {
            if (failure != null) {
                done.completed(failure);
            } else if (names != null) {
                openNext(names.iterator(), done);
            }
        });
    }

    private void openNext(Iterator<String> names, Completion done) {
        if (!names.hasNext()) {
            done.completed(null);
            return;
        }
        String name = names.next();
        ports.storage().open(directory + "/" + name, Storage.Kind.LOG, (file, failure) -> {
            if (file == null) {
                done.completed(failure);
                return;
            }
            adopt(name, file);
            openNext(names, done);
        });
    }

    private void adopt(String name, BlockFile file) {
        boolean segment = name.matches("\\d{20}\\.log");
        boolean right = file.size() == layout.segmentBytes();
        if (segment && right) {
            long start = Long.parseLong(name.substring(0, 20));
            segments.put(start, new Segment(start, file));
        } else if (name.matches(SPARE + "\\d+") && right) {
            spareNumber = Math.max(spareNumber, Long.parseLong(name.substring(SPARE.length())) + 1);
            spares.add(new Spare(name, file));
        } else {
            // A creation that a crash cut short, or a file of somebody else: it is no part of the log.
            file.close();
        }
    }

    /** Starts of the segments that exist, ascending. */
    List<Long> starts() {
        return List.copyOf(segments.keySet());
    }

    /** Position up to which files are there without a gap from {@code position} on. */
    void readyFrom(long position) {
        readyEnd = layout.start(position);
        extendReady();
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

    /** The segment that holds {@code position}; null when it has been released or is not there yet. */
    public @Nullable Segment holding(long position) {
        return segments.get(layout.start(position));
    }

    /** First position that a segment still holds. */
    public long start() {
        return segments.isEmpty() ? readyEnd : segments.firstKey();
    }

    public long usedBytes() {
        return (segments.size() + spares.size() + recycling) * layout.segmentBytes();
    }

    public long budgetBytes() {
        return budgetBytes;
    }

    public void budgetBytes(long bytes) {
        budgetBytes = bytes;
    }

    /** Why the next segment cannot be had, in words for the operator; null while all is well. */
    public @Nullable String stall() {
        return stall;
    }

    /** Runs {@code task} once, when {@link #readyEnd} has grown. */
    void whenReady(Runnable task) {
        waiters.add(task);
    }

    /** Sees to it that one segment beyond the one that holds {@code end} is, or will be, there. */
    void prepareBehind(long end) {
        if (preparing || closed || readyEnd > layout.end(end)) {
            return;
        }
        preparing = true;
        Spare spare = spares.poll();
        if (spare != null) {
            place(spare);
        } else if (usedBytes() + layout.segmentBytes() > budgetBytes && readyEnd > layout.start(end)) {
            stalled("the log has reached its budget of " + budgetBytes + " bytes", end);
        } else {
            create(end);
        }
    }

    private void create(long end) {
        String name = SPARE + spareNumber++;
        ports.storage().create(directory + "/" + name, Storage.Kind.LOG, layout.segmentBytes(), (file, failure) -> {
            if (file != null) {
                place(new Spare(name, file));
            } else {
                stalled("no segment can be made: " + failure, end);
            }
        });
    }

    private void place(Spare spare) {
        if (closed) {
            spare.file.close();
            return;
        }
        long start = readyEnd;
        ports.storage().rename(directory + "/" + spare.name, path(start), failure -> {
            if (failure != null) {
                spares.add(spare);
                stalled("no segment can be placed: " + failure, start);
                return;
            }
            preparing = false;
            stall = null;
            segments.put(start, new Segment(start, spare.file));
            extendReady();
            wake();
        });
    }

    private void stalled(String reason, long end) {
        preparing = false;
        stall = reason;
        wake();
        if (retry == null && !closed) {
            retry = ports.shard().schedule(RETRY_NANOS, () -> {
                retry = null;
                prepareBehind(end);
            });
        }
    }

    private void wake() {
        List<Runnable> woken = List.copyOf(waiters);
        waiters.clear();
        woken.forEach(Runnable::run);
    }

    /** Releases every segment that ends at or below {@code position}: to be used again, or deleted. */
    public void release(long position) {
        while (!segments.isEmpty() && segments.firstKey() + layout.segmentBytes() <= position) {
            Map.Entry<Long, Segment> first = segments.pollFirstEntry();
            recycling++;
            if (first.getValue().condemn()) {
                recycle(first.getValue());
            }
        }
    }

    /** Undoes {@link Segment#pin}. */
    public void unpin(Segment segment) {
        if (segment.unpin()) {
            recycle(segment);
        }
    }

    private void recycle(Segment segment) {
        if (closed) {
            segment.file.close();
        } else if (spares.isEmpty()) {
            keep(segment);
        } else {
            segment.file.close();
            ports.storage().delete(path(segment.start), failure -> recycling--);
        }
    }

    private void keep(Segment segment) {
        Spare spare = new Spare(SPARE + spareNumber++, segment.file);
        ports.storage().rename(path(segment.start), directory + "/" + spare.name, failure -> {
            recycling--;
            if (failure != null || closed) {
                segment.file.close();
                return;
            }
            spares.add(spare);
            if (stall != null) {
                cancelRetry();
                prepareBehind(readyEnd - 1);
            }
        });
    }

    /**
     * Deletes everything from {@code position}'s segment on that lies behind it; for a replica that starts over. All
     * segments below are released too.
     */
    void startOver(long position) {
        release(Long.MAX_VALUE - layout.segmentBytes());
        readyFrom(position);
    }

    private String path(long start) {
        StringBuilder digits = new StringBuilder(Long.toString(start));
        while (digits.length() < 20) {
            digits.insert(0, '0');
        }
        return directory + "/" + digits + ".log";
    }

    private void cancelRetry() {
        if (retry != null) {
            retry.cancel();
            retry = null;
        }
    }

    /** Closes all files; nothing may be under way that needs them. */
    public void close() {
        closed = true;
        cancelRetry();
        segments.values().forEach(segment -> segment.file.close());
        segments.clear();
        spares.forEach(spare -> spare.file.close());
        spares.clear();
    }

    /** Words for an operator when a file could not be opened. */
    static String describe(String what, @Nullable IoFailure failure) {
        return what + ": " + (failure == null ? "unknown" : failure.message());
    }
}
