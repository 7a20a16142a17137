// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.Blocks;
import storage.mars.engine.log.Histogram;
import storage.mars.engine.log.LogAccess;
import storage.mars.engine.port.Clock;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Ports;
import storage.mars.engine.port.Runs;
import storage.mars.engine.port.Shard;

/**
 * Copies durable log content to the images, in rounds: a round takes dirty blocks from the index,
 * has their payloads gathered in the order of the images, zeroes what is to be zero, then writes
 * runs of neighbours. Operations of different rounds are never in flight together, nor are
 * overlapping ones of one round. Owned by the shard.
 */
public final class WriteBack {

    private static final int MAX_ZEROS_IN_FLIGHT = 64;

    /** What gathers for a while is sorted and overwritten in memory; so many do not wait. */
    private static final int EAGER_ENTRIES = 512;

    private static final long GATHER_NANOS = 10_000_000L;
    private static final long RETRY_NANOS = 1_000_000_000L;

    private final VolumeIndex index;
    private final Images images;
    private final ImageTurns turns;
    private final Shard shard;
    private final Clock clock;
    private final Listener listener;
    private final Histogram latency = new Histogram();
    private final Runnable round = this::round;
    private final Completion zeroDone = this::zeroCompleted;
    private final Completion writeDone = this::writeCompleted;
    private final List<Runs> runs = new ArrayList<>();
    private final Runnable gathered = this::gathered;
    private final RoundPayloads payloads;
    private final Consumer<@Nullable String> collected = this::collected;
    private int inFlight;
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
        this.turns = turns;
        this.shard = ports.shard();
        this.clock = ports.clock();
        this.listener = listener;
        this.payloads = new RoundPayloads(log);
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
        if (stopped || !index.startRound(payloads.mostBlocks())) {
            running = false;
            turns.giveBack();
            listener.wroteBack();
            return;
        }
        roundFailure = null;
        begunNanos = clock.nanoTime();
        payloads.gather(index.round(), collected);
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

    private void issueWrites() {
        Round round = index.round();
        int operations = 0;
        int next = 0;
        inFlight = 1;
        while (next < round.blocks()) {
            if (operations == runs.size()) {
                runs.add(new Runs());
            }
            Runs parts = runs.get(operations++);
            int first = next;
            next = payloads.runs(round, first, parts);
            written += (long) (next - first) << Blocks.SHIFT;
            inFlight++;
            images.of(round.volume(first)).writeRuns(parts, writeDone);
        }
        writeCompleted(null);
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
        runs.forEach(Runs::clear);
        payloads.release();
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
