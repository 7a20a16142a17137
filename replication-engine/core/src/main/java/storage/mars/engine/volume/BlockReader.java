// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.Blocks;
import storage.mars.engine.log.LogAccess;
import storage.mars.engine.log.LogLocation;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.IoFailure;

/**
 * Reads any range of a volume as it is now: each block from where the index says its newest version
 * is, the log window, a segment, zero, or the image. Owned by the shard.
 */
public final class BlockReader {

    private static final int MAX_RUN = 1 << 20;
    private static final IoFailure NOT_SERVING =
            new IoFailure(IoFailure.Kind.IO_ERROR, "the images are being made good");

    private final VolumeIndex index;
    private final Images images;
    private final LogAccess log;
    private final Lookup lookup = new Lookup();
    private final ArrayDeque<Read> idle = new ArrayDeque<>();
    private final ArrayDeque<ImageRun> idleRuns = new ArrayDeque<>();
    private final ArrayDeque<Runnable> held = new ArrayDeque<>();
    private boolean holding;
    private @Nullable IoFailure broken;

    public BlockReader(VolumeIndex index, Images images, LogAccess log) {
        this.index = index;
        this.images = images;
        this.log = log;
    }

    /**
     * Fills the remaining bytes of {@code into} from byte {@code offset} of the volume on; the
     * range lies inside it. With {@code durableOnly} nothing is seen that is not yet durable in the
     * log, and the read fails where others wait for the index: its user holds memory that this may
     * need. May complete before it returns.
     */
    public void read(
            int volume, long offset, ByteBuffer into, boolean durableOnly, Completion done) {
        if (broken != null) {
            done.completed(broken);
            return;
        }
        if (holding && durableOnly) {
            done.completed(NOT_SERVING);
            return;
        }
        if (holding) {
            held.add(() -> read(volume, offset, into, false, done));
            return;
        }
        Read read = idle.isEmpty() ? new Read() : idle.pop();
        read.start(volume, offset, into, durableOnly, done);
    }

    /**
     * Runs {@code task} once the index knows all that the images may lack, now or later; whoever
     * looks into the index for a client asks first. It is told whether anything is served at all.
     */
    public void whenServing(Consumer<Boolean> task) {
        if (holding) {
            held.add(() -> whenServing(task));
        } else {
            task.accept(broken == null);
        }
    }

    private boolean isServing() {
        return !holding && broken == null;
    }

    /** Stops serving while the index does not know all that the images may lack. */
    void hold() {
        holding = true;
    }

    void resume() {
        holding = false;
        while (!holding && !held.isEmpty()) {
            held.poll().run();
        }
    }

    /** Serves nothing any more: what waits and what comes is told {@code why}. */
    public void fail(IoFailure why) {
        broken = why;
        resume();
    }

    /** One read: its runs complete in any order. */
    private final class Read implements Completion {

        private int pending;
        private boolean durable;
        private @Nullable IoFailure failure;
        private @Nullable Completion done;

        void start(int volume, long offset, ByteBuffer into, boolean durableOnly, Completion told) {
            done = told;
            failure = null;
            durable = durableOnly;
            pending = 1;
            walk(volume, offset, into);
            completed(null);
        }

        /** Serves each run of one kind from where it is. */
        private void walk(int volume, long offset, ByteBuffer into) {
            long position = offset;
            long end = offset + into.remaining();
            while (position < end) {
                long block = position >> Blocks.SHIFT;
                long blocks = Math.min(MAX_RUN, ((end - 1) >> Blocks.SHIFT) - block + 1);
                index.lookup(volume, block, (int) blocks, durable, lookup);
                long runEnd = Math.min(end, (block + lookup.blocks()) << Blocks.SHIFT);
                run(volume, position, (int) (runEnd - position), into);
                into.position(into.position() + (int) (runEnd - position));
                position = runEnd;
            }
        }

        private void run(int volume, long position, int length, ByteBuffer into) {
            switch (lookup.kind()) {
                case ZERO -> zero(into, into.position(), length);
                case LOG -> fromLog(position, length, into);
                case IMAGE -> {
                    pending++;
                    ImageRun run = idleRuns.isEmpty() ? new ImageRun() : idleRuns.pop();
                    run.start(this, volume, position, into.slice(into.position(), length));
                }
            }
        }

        private void fromLog(long position, int length, ByteBuffer into) {
            long skip = position & (Blocks.SIZE - 1);
            long at = LogLocation.position(lookup.location()) + skip;
            if (!log.tail().copy(at, length, into, into.position())) {
                pending++;
                fromSegment(lookup.location(), at, length, into.slice(into.position(), length));
            }
        }

        private void fromSegment(long location, long at, int length, ByteBuffer into) {
            log.reader()
                    .readRecord(
                            location,
                            log.history().get(),
                            log.buffers(),
                            batch -> {
                                if (batch.fault() == null) {
                                    int skip = (int) (at - batch.from());
                                    into.put(
                                            0,
                                            batch.bytes(),
                                            batch.bytes().position() + skip,
                                            length);
                                    completed(null);
                                } else {
                                    completed(
                                            new IoFailure(
                                                    IoFailure.Kind.IO_ERROR,
                                                    "log at " + at + ": " + batch.fault()));
                                }
                            });
        }

        @Override
        public void completed(@Nullable IoFailure problem) {
            if (problem != null && failure == null) {
                failure = problem;
            }
            pending--;
            Completion told = done;
            if (pending == 0 && told != null) {
                done = null;
                IoFailure result = failure;
                idle.push(this);
                told.completed(result);
            }
        }
    }

    /**
     * One read of an image. A block that write-back has written to meanwhile may have come in
     * halves, and one that a failed sync has lost as it was before; so what is not as it was in the
     * index, or may not be, is read again.
     */
    private final class ImageRun implements Completion {

        private static final ByteBuffer NOWHERE = ByteBuffer.allocate(0);

        private @Nullable Read read;
        private int volume;
        private long position;
        private ByteBuffer into = NOWHERE;
        private long rounds;

        void start(Read of, int newVolume, long newPosition, ByteBuffer destination) {
            read = of;
            volume = newVolume;
            position = newPosition;
            into = destination;
            rounds = index.roundsEnded();
            images.of(volume).read(position, into, this);
        }

        @Override
        public void completed(@Nullable IoFailure problem) {
            Read of = read;
            if (of == null) {
                throw new IllegalStateException("completed twice");
            }
            int from = volume;
            long at = position;
            ByteBuffer bytes = into.clear();
            boolean same = problem != null || (isServing() && isStillImage(of.durable));
            read = null;
            into = NOWHERE;
            idleRuns.push(this);
            if (same) {
                of.completed(problem);
            } else {
                again(of, from, at, bytes);
            }
        }

        private void again(Read of, int from, long at, ByteBuffer bytes) {
            if (holding && of.durable) {
                of.completed(NOT_SERVING);
                return;
            }
            whenServing(served -> {
                if (served) {
                    of.walk(from, at, bytes);
                }
                of.completed(served ? null : broken);
            });
        }

        private boolean isStillImage(boolean durableOnly) {
            long block = position >> Blocks.SHIFT;
            int blocks = (int) (((position + into.capacity() - 1) >> Blocks.SHIFT) - block + 1);
            index.lookup(volume, block, blocks, durableOnly, lookup);
            return index.roundsEnded() == rounds
                    && lookup.kind() == Lookup.Kind.IMAGE
                    && lookup.blocks() == blocks;
        }
    }

    private static void zero(ByteBuffer into, int at, int length) {
        int i = 0;
        for (; i + Long.BYTES <= length; i += Long.BYTES) {
            into.putLong(at + i, 0);
        }
        for (; i < length; i++) {
            into.put(at + i, (byte) 0);
        }
    }
}
