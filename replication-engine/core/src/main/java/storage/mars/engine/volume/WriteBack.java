// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.Blocks;
import storage.mars.engine.log.Histogram;
import storage.mars.engine.log.LogAccess;
import storage.mars.engine.log.LogFormat;
import storage.mars.engine.log.LogLocation;
import storage.mars.engine.port.Clock;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Ports;
import storage.mars.engine.port.Runs;
import storage.mars.engine.port.Shard;

/**
 * Copies durable log content to the images, in rounds: a round takes dirty blocks from the index,
 * collects their payloads in staging memory in the order of the images, zeroes what is to be zero,
 * then writes runs of neighbours. Operations of different rounds are never in flight together, nor
 * are overlapping ones of one round. Owned by the shard.
 */
public final class WriteBack {

    private static final int STAGING = 8;
    private static final int BLOCKS_PER_BUFFER = LogFormat.MAX_FRAME / Blocks.SIZE;
    private static final int MAX_ZEROS_IN_FLIGHT = 64;

    /** What gathers for a while is sorted and overwritten in memory; so many do not wait. */
    private static final int EAGER_ENTRIES = 512;

    private static final long GATHER_NANOS = 10_000_000L;
    private static final long RETRY_NANOS = 1_000_000_000L;

    private final VolumeIndex index;
    private final Images images;
    private final LogAccess log;
    private final ImageTurns turns;
    private final Shard shard;
    private final Clock clock;
    private final Listener listener;
    private final Histogram latency = new Histogram();
    private final Runnable round = this::round;
    private final int roundBlocks;
    private List<ByteBuffer> staging = List.of();
    private final Completion zeroDone = this::zeroCompleted;
    private final Completion writeDone = this::writeCompleted;
    private final List<Runs> runs = new ArrayList<>();
    private final Runnable gathered = this::gathered;
    private final ColdPayloads cold;
    private final Consumer<@Nullable String> collected = this::collected;
    private int inFlight;
    private int nextRun;
    private boolean issuing;
    private long written;
    private long begunNanos;
    private boolean running;
    private boolean stopped;
    private boolean retrying;
    private boolean gathering;
    private boolean hurried;
    private @Nullable String trouble;
    private @Nullable IoFailure roundFailure;

    /** Who is told of progress; called on the shard. */
    public interface Listener {

        /** A round has ended: the applied position may have grown, the index has room. */
        void wroteBack();

        /** A payload that was durable cannot be read back from the log. */
        void logDamaged(String reason);
    }

    public WriteBack(
            VolumeIndex index,
            Images images,
            LogAccess log,
            ImageTurns turns,
            Ports ports,
            Listener listener) {
        this.index = index;
        this.images = images;
        this.log = log;
        this.turns = turns;
        this.shard = ports.shard();
        this.clock = ports.clock();
        this.listener = listener;
        this.cold =
                new ColdPayloads(
                        log, (i, from, at) -> buffer(i).put(offset(i), from, at, Blocks.SIZE));
        this.roundBlocks = Math.min(STAGING, log.buffers().maxStaging()) * BLOCKS_PER_BUFFER;
    }

    /** Starts a round, soon, when none runs and something is dirty. */
    public void wake() {
        if (running || stopped || retrying || !index.isDirty()) {
            return;
        }
        if (hurried || index.blocks() + index.zeroRanges() >= EAGER_ENTRIES) {
            begin();
        } else if (!gathering) {
            gathering = true;
            shard.schedule(GATHER_NANOS, gathered);
        }
    }

    /** From now on nothing is gathered: whatever is dirty is written at once. */
    public void hurry() {
        hurried = true;
        wake();
    }

    private void gathered() {
        gathering = false;
        if (!running && !stopped && !retrying && index.isDirty()) {
            begin();
        }
    }

    private void begin() {
        running = true;
        turns.take(round);
    }

    private void round() {
        if (stopped || !index.startRound(roundBlocks)) {
            running = false;
            turns.giveBack();
            listener.wroteBack();
            return;
        }
        roundFailure = null;
        begunNanos = clock.nanoTime();
        gatherBuffers();
    }

    public boolean isRunning() {
        return running;
    }

    /**
     * Why the images do not take what is to be written, in words for the operator; null while they
     * do.
     */
    public @Nullable String trouble() {
        return trouble;
    }

    /** How long the rounds took that wrote everything, from their turn at the images on. */
    public Histogram latency() {
        return latency;
    }

    /** Bytes written to images so far. */
    public long writtenBytes() {
        return written;
    }

    /**
     * No round starts any more; a running one ends with what is under way, and what it has not come
     * to is dirty again.
     */
    public void stop() {
        stopped = true;
    }

    /** Rounds start again after {@link #stop}. */
    public void restart() {
        stopped = false;
        wake();
    }

    private void gatherBuffers() {
        int needed = (index.round().blocks() + BLOCKS_PER_BUFFER - 1) / BLOCKS_PER_BUFFER;
        if (needed == 0) {
            zero();
            return;
        }
        log.buffers()
                .acquireStaging(
                        needed,
                        buffers -> {
                            staging = buffers;
                            collect();
                        });
    }

    private ByteBuffer buffer(int i) {
        return staging.get(i / BLOCKS_PER_BUFFER);
    }

    private static int offset(int i) {
        return i % BLOCKS_PER_BUFFER * Blocks.SIZE;
    }

    /** Copies what is in memory; what is not is read from the segments. */
    private void collect() {
        Round round = index.round();
        cold.begin(round);
        boolean all = true;
        for (int i = 0; i < round.blocks(); i++) {
            long position = LogLocation.position(round.location(i));
            if (!log.tail().copy(position, Blocks.SIZE, buffer(i), offset(i))) {
                cold.add(i);
                all = false;
            }
        }
        if (all) {
            zero();
        } else {
            cold.fetch(collected);
        }
    }

    private void collected(@Nullable String damage) {
        if (damage == null) {
            zero();
        } else {
            end(new IoFailure(IoFailure.Kind.IO_ERROR, damage), false);
            listener.logDamaged(damage);
        }
    }

    private void zero() {
        inFlight = 0;
        issueZeros();
    }

    /**
     * Completions may come while it issues, even inside of a call of it: whoever issues goes on
     * until nothing is left.
     */
    private void issueZeros() {
        issuing = true;
        Round round = index.round();
        boolean all = false;
        while (!all && !stopped && roundFailure == null && inFlight < MAX_ZEROS_IN_FLIGHT) {
            all = !round.nextZeros();
            if (!all) {
                inFlight++;
                images.of(round.zeroVolume())
                        .zero(
                                round.zeroBlock() << Blocks.SHIFT,
                                round.zeroBlocks() << Blocks.SHIFT,
                                zeroDone);
            }
        }
        issuing = false;
        if (inFlight > 0) {
            return;
        }
        if (roundFailure != null || !all) {
            end(roundFailure, false);
        } else {
            nextRun = 0;
            issueWrites();
        }
    }

    private void zeroCompleted(@Nullable IoFailure failure) {
        note(failure);
        inFlight--;
        if (!issuing) {
            issueZeros();
        }
    }

    /** One operation for each staging buffer and image. */
    private void issueWrites() {
        Round round = index.round();
        int operations = 0;
        inFlight = 1;
        while (nextRun < round.blocks()) {
            if (operations == runs.size()) {
                runs.add(new Runs());
            }
            writeRuns(round, runs.get(operations++));
        }
        writeCompleted(null);
    }

    private void writeRuns(Round round, Runs parts) {
        int first = nextRun;
        int volume = round.volume(first);
        int bufferEnd =
                Math.min(round.blocks(), (first / BLOCKS_PER_BUFFER + 1) * BLOCKS_PER_BUFFER);
        parts.clear();
        while (nextRun < bufferEnd && round.volume(nextRun) == volume) {
            int from = nextRun;
            nextRun = Math.min(round.runEnd(from), bufferEnd);
            int length = (nextRun - from) * Blocks.SIZE;
            parts.add(round.block(from) << Blocks.SHIFT, offset(from), length);
            written += length;
        }
        inFlight++;
        images.of(volume).writeRuns(buffer(first), parts, writeDone);
    }

    private void writeCompleted(@Nullable IoFailure failure) {
        note(failure);
        if (--inFlight == 0) {
            end(roundFailure, roundFailure == null);
        }
    }

    private void note(@Nullable IoFailure failure) {
        if (failure != null && roundFailure == null) {
            roundFailure = failure;
        }
    }

    /** What is not {@code whole} is to be written again: it has failed, or was stopped. */
    private void end(@Nullable IoFailure failure, boolean whole) {
        List<ByteBuffer> used = staging;
        staging = List.of();
        if (failure != null) {
            trouble = "image cannot be written: " + failure;
            retryLater();
        } else if (whole) {
            trouble = null;
        }
        if (whole) {
            latency.add(clock.nanoTime() - begunNanos);
            index.roundDone();
        } else {
            index.roundFailed();
        }
        log.buffers().releaseStaging(used);
        running = false;
        turns.giveBack();
        listener.wroteBack();
        wake();
    }

    private void retryLater() {
        retrying = true;
        shard.schedule(
                RETRY_NANOS,
                () -> {
                    retrying = false;
                    wake();
                });
    }
}
