// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.BlockFile;
import storage.mars.engine.port.Callback;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.IoFailure;

/**
 * The segment files without a place in the log: takes in the segments that retention releases, when
 * nobody reads them any more, and keeps some to be placed again, so that a busy log makes no new
 * files. Owned by the shard.
 */
final class SpareSegments {

    private final SegmentFiles files;
    private final Runnable left;
    private final ArrayDeque<Spare> spares = new ArrayDeque<>();
    private final Set<Long> leaving = new HashSet<>();
    private long nextNumber;
    private int becomingSpare;
    private boolean placed;
    private int underWay;
    private @Nullable Runnable whenClosed;

    /** A file that waits for a place. */
    record Spare(long number, BlockFile file) {}

    /** {@code left} runs whenever a released segment has given up its name. */
    SpareSegments(SegmentFiles files, Runnable left) {
        this.files = files;
        this.left = left;
    }

    /** A spare of an earlier run. */
    void found(long number, BlockFile file) {
        nextNumber = Math.max(nextNumber, number + 1);
        spares.add(new Spare(number, file));
    }

    /** Files that take space here: spares, and segments on their way to become that or to go. */
    int count() {
        return spares.size() + leaving.size();
    }

    @Nullable Spare poll() {
        return spares.poll();
    }

    void giveBack(Spare spare) {
        spares.add(spare);
    }

    /**
     * The file could not be placed: it is not tried again. Its space is given back if it can be.
     */
    void discard(Spare spare) {
        spare.file.close();
        underWay++;
        files.deleteSpare(spare.number, failure -> ended());
    }

    void create(Callback<Spare> done) {
        long number = nextNumber++;
        underWay++;
        files.createSpare(
                number,
                (file, failure) -> {
                    done.completed(file == null ? null : new Spare(number, file), failure);
                    ended();
                });
    }

    /** Gives a spare that was polled or created its place in the log. */
    void place(Spare spare, long start, Completion done) {
        underWay++;
        files.place(
                spare.number,
                start,
                failure -> {
                    placed |= failure == null && !isClosed();
                    done.completed(failure);
                    ended();
                });
    }

    /** Whether a released segment has the name of the one that begins at {@code start} still. */
    boolean isLeaving(long start) {
        return leaving.contains(start);
    }

    /** Whether space that was released has still to come back. */
    boolean isAnyLeaving() {
        return !leaving.isEmpty();
    }

    /** The segment is no part of the log any more; it is recycled when its last pin has gone. */
    void released(Segment segment, int most) {
        leaving.add(segment.start);
        if (segment.condemn()) {
            recycle(segment, most);
        }
    }

    /** To be used again, or deleted when there are as many as {@code most} already. */
    void recycle(Segment segment, int most) {
        if (isClosed()) {
            segment.file.close();
        } else if (spares.size() + becomingSpare < most) {
            keep(segment);
        } else {
            segment.file.close();
            delete(segment);
        }
    }

    private void delete(Segment segment) {
        underWay++;
        files.deleteSegment(
                segment.start,
                failure -> {
                    left(segment);
                    ended();
                });
    }

    private void keep(Segment segment) {
        becomingSpare++;
        Spare spare = new Spare(nextNumber++, segment.file);
        underWay++;
        files.displace(
                segment.start,
                spare.number,
                failure -> {
                    becomingSpare--;
                    displaced(segment, spare, failure);
                    ended();
                });
    }

    private void displaced(Segment segment, Spare spare, @Nullable IoFailure failure) {
        if (failure != null) {
            discard(spare);
            delete(segment);
            return;
        }
        if (isClosed()) {
            segment.file.close();
        } else {
            spares.add(spare);
        }
        left(segment);
    }

    private void left(Segment segment) {
        leaving.remove(segment.start);
        left.run();
    }

    /**
     * Gives back what is more than {@code most}, and one file when none has been needed since the
     * last call, but never the last.
     */
    void trim(int most) {
        boolean idle = !placed && spares.size() > 1;
        placed = false;
        int kept = Math.min(most, idle ? spares.size() - 1 : spares.size());
        while (!isClosed() && spares.size() > kept) {
            discard(spares.remove());
        }
    }

    private boolean isClosed() {
        return whenClosed != null;
    }

    /** What it has led to, another operation perhaps, has been counted before. */
    private void ended() {
        underWay--;
        tellWhenClosed();
    }

    private void tellWhenClosed() {
        if (whenClosed != null && underWay == 0) {
            whenClosed.run();
        }
    }

    /**
     * {@code done} runs once, when no operation that makes, renames or deletes a file is under way
     * any more.
     */
    void close(Runnable done) {
        whenClosed = done;
        spares.forEach(spare -> spare.file.close());
        spares.clear();
        tellWhenClosed();
    }
}
