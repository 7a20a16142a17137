// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.BlockFile;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.Ports;
import storage.mars.engine.port.Shard;
import storage.mars.engine.port.Storage;

/**
 * The segment files of one log: finds them, keeps the next one prepared, recycles what retention
 * releases. Space is taken only here, when a segment is prepared; lack of it is reported as a stall
 * and tried again, never an error to a client. Owned by the shard.
 */
public final class SegmentStore {

    private static final long RETRY_NANOS = 500_000_000L;
    private static final String SPARE = "spare-";
    private static final int MAX_SPARES = 9;
    private static final Pattern SEGMENT_NAME = Pattern.compile("00(\\d{18})\\.log");
    private static final Pattern SPARE_NAME = Pattern.compile(SPARE + "(\\d{1,18})");

    private final Ports ports;
    private final String directory;
    private final SegmentLayout layout;
    private final TreeMap<Long, Segment> segments = new TreeMap<>();
    private final ArrayDeque<Spare> spares = new ArrayDeque<>();
    private final List<Runnable> waiters = new ArrayList<>();
    private final Set<Long> leaving = new HashSet<>();
    private long budgetBytes;
    private long start;
    private long beginning;
    private long wantedBehind;
    private long readyEnd;
    private long spareNumber;
    private boolean preparing;
    private boolean placed;
    private int becomingSpare;
    private boolean closed;
    private @Nullable String stall;
    private Runnable onStall = () -> {};
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
        ports.storage()
                .list(
                        directory,
                        (names, failure) -> {
                            if (failure != null) {
                                done.completed(failure);
                            } else if (names != null) {
                                openNext(names.iterator(), done);
                            }
                        });
    }

    private void openNext(Iterator<String> names, Completion done) {
        String name = nextOwn(names);
        if (name == null) {
            done.completed(null);
            return;
        }
        ports.storage()
                .open(
                        directory + "/" + name,
                        Storage.Kind.LOG,
                        (file, failure) -> {
                            if (file == null) {
                                done.completed(failure);
                                return;
                            }
                            adopt(name, file);
                            openNext(names, done);
                        });
    }

    /** What has another name is somebody else's, and no part of the log. */
    private @Nullable String nextOwn(Iterator<String> names) {
        while (names.hasNext()) {
            String name = names.next();
            Matcher segment = SEGMENT_NAME.matcher(name);
            boolean own =
                    segment.matches()
                            ? layout.isHeader(Long.parseLong(segment.group(1)))
                            : SPARE_NAME.matcher(name).matches();
            if (own) {
                return name;
            }
        }
        return null;
    }

    private void adopt(String name, BlockFile file) {
        Matcher segment = SEGMENT_NAME.matcher(name);
        Matcher spare = SPARE_NAME.matcher(name);
        if (file.size() != layout.segmentBytes()) {
            // Not of this log: a segment is created whole or not at all.
            file.close();
        } else if (segment.matches()) {
            long first = Long.parseLong(segment.group(1));
            segments.put(first, new Segment(first, file));
        } else if (spare.matches()) {
            spareNumber = Math.max(spareNumber, Long.parseLong(spare.group(1)) + 1);
            spares.add(new Spare(name, file));
        }
    }

    /** Starts of the segments that exist, ascending. */
    List<Long> starts() {
        return List.copyOf(segments.keySet());
    }

    /** Position up to which files are there without a gap from {@code position} on. */
    void readyFrom(long position) {
        readyEnd = layout.start(position);
        wantedBehind = position;
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
        return ((long) segments.size() + spares.size() + leaving.size()) * layout.segmentBytes();
    }

    public long budgetBytes() {
        return budgetBytes;
    }

    /** Less than two segments would never let the first one go, so it counts as two. */
    public void budgetBytes(long bytes) {
        budgetBytes = bytes;
        retryNow();
    }

    /** Why the next segment cannot be had, in words for the operator; null while all is well. */
    public @Nullable String stall() {
        return stall;
    }

    /**
     * Who is told, in a later turn, when the next segment cannot be had although it could before.
     */
    public void onStall(Runnable task) {
        onStall = task;
    }

    /** Runs {@code task} once, when {@link #readyEnd} has grown. */
    void whenReady(Runnable task) {
        waiters.add(task);
    }

    /** Sees to it that one segment beyond the one that holds {@code end} is, or will be, there. */
    void prepareBehind(long end) {
        wantedBehind = Math.max(wantedBehind, end);
        prepare();
    }

    private void prepare() {
        if (preparing || closed || retry != null || readyEnd > layout.end(wantedBehind)) {
            return;
        }
        preparing = true;
        Spare spare = spares.poll();
        if (spare != null) {
            place(spare);
        } else if (isOverBudget() && readyEnd > layout.start(wantedBehind)) {
            stalled("the log has reached its budget of " + budgetBytes + " bytes");
        } else {
            create();
        }
    }

    private void create() {
        String name = SPARE + spareNumber++;
        ports.storage()
                .create(
                        directory + "/" + name,
                        Storage.Kind.LOG,
                        layout.segmentBytes(),
                        (file, failure) -> {
                            if (file != null) {
                                place(new Spare(name, file));
                            } else {
                                stalled("no segment can be made: " + failure);
                            }
                        });
    }

    private boolean isOverBudget() {
        return usedBytes() + layout.segmentBytes()
                > Math.max(budgetBytes, 2L * layout.segmentBytes());
    }

    private void place(Spare spare) {
        if (closed) {
            spare.file.close();
            return;
        }
        long position = readyEnd;
        if (leaving.contains(position)) {
            spares.add(spare);
            stalled("the former segment of that name is still read");
            return;
        }
        ports.storage()
                .rename(
                        directory + "/" + spare.name,
                        path(position),
                        failure -> {
                            if (closed) {
                                spare.file.close();
                            } else if (failure != null) {
                                spares.add(spare);
                                stalled("no segment can be placed: " + failure);
                            } else {
                                preparing = false;
                                placed = true;
                                stall = null;
                                segments.put(position, new Segment(position, spare.file));
                                extendReady();
                                wake();
                                prepare();
                            }
                        });
    }

    private void stalled(String reason) {
        preparing = false;
        if (stall == null) {
            ports.shard().execute(onStall);
        }
        stall = reason;
        if (retry == null && !closed) {
            retry =
                    ports.shard()
                            .schedule(
                                    RETRY_NANOS,
                                    () -> {
                                        retry = null;
                                        prepare();
                                    });
        }
    }

    private void retryNow() {
        if (stall != null && !closed) {
            cancelRetry();
            prepare();
        }
    }

    private void wake() {
        List<Runnable> woken = List.copyOf(waiters);
        waiters.clear();
        woken.forEach(Runnable::run);
    }

    /**
     * Releases every segment that ends at or below {@code position}: to be used again, or deleted.
     */
    public void release(long position) {
        while (!segments.isEmpty() && segments.firstKey() + layout.segmentBytes() <= position) {
            Map.Entry<Long, Segment> first = segments.pollFirstEntry();
            Segment segment = first.getValue();
            start = Math.max(start, segment.start + layout.segmentBytes());
            leaving.add(segment.start);
            if (segment.condemn()) {
                recycle(segment);
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
        } else if (spares.size() + becomingSpare < maxSpares()) {
            keep(segment);
        } else {
            segment.file.close();
            ports.storage().delete(path(segment.start), failure -> left(segment));
        }
    }

    /** As many as one checkpoint releases at a time, so that a busy log makes no new ones. */
    private int maxSpares() {
        long half = budgetBytes / 2 / layout.segmentBytes();
        return (int) Math.max(1, Math.min(MAX_SPARES, half));
    }

    /**
     * Gives back what is more than is kept, and one file when none has been needed since the last
     * call, but never the last; called now and then.
     */
    public void trim() {
        boolean idle = !placed && spares.size() > 1;
        placed = false;
        int kept = Math.min(maxSpares(), idle ? spares.size() - 1 : spares.size());
        while (!closed && spares.size() > kept) {
            Spare spare = spares.remove();
            spare.file.close();
            ports.storage().delete(directory + "/" + spare.name, failure -> {});
        }
    }

    private void keep(Segment segment) {
        becomingSpare++;
        Spare spare = new Spare(SPARE + spareNumber++, segment.file);
        ports.storage()
                .rename(
                        path(segment.start),
                        directory + "/" + spare.name,
                        failure -> {
                            becomingSpare--;
                            if (failure != null || closed) {
                                segment.file.close();
                            } else {
                                spares.add(spare);
                            }
                            left(segment);
                        });
    }

    private void left(Segment segment) {
        leaving.remove(segment.start);
        retryNow();
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

    /** Closes all files; those that are pinned when the last pin goes. */
    public void close() {
        closed = true;
        cancelRetry();
        for (Segment segment : segments.values()) {
            if (segment.condemn()) {
                segment.file.close();
            }
        }
        segments.clear();
        spares.forEach(spare -> spare.file.close());
        spares.clear();
    }
}
