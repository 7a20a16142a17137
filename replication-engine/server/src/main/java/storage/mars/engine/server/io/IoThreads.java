// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * All threads of an engine that block on files, or compute for long. Log writes have lanes of their
 * own, so that nothing queues before them. So have writes of images: the kernel lets one writer at
 * a time into a file, and further threads would only wait for it, with a processor in their hands.
 * Other short transfers are kept apart from work that may take long: whole image syncs and zeroing
 * in one place, names and creations in another, so that no read waits for a new segment and no new
 * segment for an image.
 */
public final class IoThreads {

    private static final int MAINTENANCE_THREADS = 2;
    private static final int IMAGE_LANES = 2;
    private static final int NAME_THREADS = 2;

    /** Syncs together take no more than one processor, and one read, from those who serve. */
    private static final int COMPARE_THREADS = 1;

    private final List<Lane> logs = new ArrayList<>();
    private final List<Lane> images = new ArrayList<>();
    private final WorkerPool transfers;
    private final WorkerPool maintenance;
    private final WorkerPool names;
    private final WorkerPool comparisons;

    /** Starts the threads, which sleep until they are needed. */
    public IoThreads(Settings settings) {
        NumberedThreads logNames = new NumberedThreads("mars-log-");
        for (int i = 0; i < settings.logThreads(); i++) {
            logs.add(new Lane(logNames, settings.logSpin().toNanos()));
        }
        NumberedThreads imageNames = new NumberedThreads("mars-image-");
        for (int i = 0; i < IMAGE_LANES; i++) {
            images.add(new Lane(imageNames, 0));
        }
        transfers = new WorkerPool(new NumberedThreads("mars-io-"), settings.transferThreads());
        maintenance = new WorkerPool(new NumberedThreads("mars-file-"), MAINTENANCE_THREADS);
        names = new WorkerPool(new NumberedThreads("mars-name-"), NAME_THREADS);
        comparisons = new WorkerPool(new NumberedThreads("mars-compare-"), COMPARE_THREADS);
    }

    /** The lane of all logs in one directory, that is of one resource. */
    Lane logLane(String directory) {
        return logs.get(Math.floorMod(directory.hashCode(), logs.size()));
    }

    /** The lane of all images in one directory, that is of one resource. */
    Lane imageLane(String directory) {
        return images.get(Math.floorMod(directory.hashCode(), images.size()));
    }

    WorkerPool transfers() {
        return transfers;
    }

    /** Syncs and zeroing of images, changes of size, closing. */
    WorkerPool maintenance() {
        return maintenance;
    }

    /** Whatever creates, opens, renames, deletes or lists. */
    WorkerPool names() {
        return names;
    }

    /** What a sync has here already, read and digested. */
    WorkerPool comparisons() {
        return comparisons;
    }

    /** Does what is queued, then ends the threads; returns whether all ended in time. */
    public boolean close(Duration limit) {
        long end = System.nanoTime() + limit.toNanos();
        boolean all = true;
        for (Lane lane : logs) {
            all &= lane.close(Duration.ofNanos(end - System.nanoTime()));
        }
        for (Lane lane : images) {
            all &= lane.close(Duration.ofNanos(end - System.nanoTime()));
        }
        all &= transfers.close(Duration.ofNanos(end - System.nanoTime()));
        all &= names.close(Duration.ofNanos(end - System.nanoTime()));
        all &= comparisons.close(Duration.ofNanos(end - System.nanoTime()));
        all &= maintenance.close(Duration.ofNanos(end - System.nanoTime()));
        return all;
    }

    /**
     * How many threads of each sort, and how long a log thread looks out for the next batch before
     * it sleeps.
     */
    public record Settings(int logThreads, int transferThreads, Duration logSpin) {

        public Settings {
            if (logThreads < 1 || transferThreads < 1 || logSpin.isNegative()) {
                throw new IllegalArgumentException(
                        "at least one thread of each sort, no negative time");
            }
        }
    }
}
