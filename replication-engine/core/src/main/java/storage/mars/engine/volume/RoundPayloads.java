// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.Blocks;
import storage.mars.engine.log.LogAccess;
import storage.mars.engine.log.LogFormat;
import storage.mars.engine.log.LogLoan;
import storage.mars.engine.log.LogLocation;
import storage.mars.engine.port.Runs;

/**
 * Where the payloads of a round lie until they have been written. Long stretches of neighbours that
 * are in one piece in the log window are borrowed there; everything else is copied to staging
 * memory, from the window or the segments. Used by one round after the other. Owned by the shard.
 */
final class RoundPayloads {

    private static final int STAGING = 8;
    private static final int BLOCKS_PER_BUFFER = LogFormat.MAX_FRAME / Blocks.SIZE;

    /** Shorter stretches are copied: many of them would borrow much memory for little. */
    private static final int LEAST_BORROWED = 16;

    private static final int BORROWED = -1;

    private final LogAccess log;
    private final LogLoan loan;
    private final ColdPayloads cold;
    private final List<ByteBuffer> stretches = new ArrayList<>();
    private List<ByteBuffer> staging = List.of();
    private long[] positions = {};
    private int[] slots = {};
    private int blocks;
    private int staged;
    private int nextStretch;

    RoundPayloads(LogAccess log) {
        this.log = log;
        this.loan = log.tail().newLoan();
        this.cold =
                new ColdPayloads(
                        log,
                        (i, from, at) ->
                                buffer(slots[i]).put(offset(slots[i]), from, at, Blocks.SIZE));
    }

    /** As many blocks as a round may have. */
    int mostBlocks() {
        return Math.min(STAGING, log.buffers().maxStaging()) * BLOCKS_PER_BUFFER;
    }

    /**
     * Finds all payloads of {@code round}; {@code told} gets null when they are in place, now or
     * later, else what cannot be read back and why.
     */
    void gather(Round round, Consumer<@Nullable String> told) {
        plan(round);
        if (staged == 0) {
            told.accept(null);
            return;
        }
        log.buffers()
                .acquireStaging(
                        (staged + BLOCKS_PER_BUFFER - 1) / BLOCKS_PER_BUFFER,
                        buffers -> {
                            staging = buffers;
                            stage(round, told);
                        });
    }

    private void plan(Round round) {
        blocks = round.blocks();
        staged = 0;
        nextStretch = 0;
        if (blocks > slots.length) {
            slots = new int[blocks];
            positions = new long[blocks];
        }
        for (int i = 0; i < blocks; i++) {
            positions[i] = LogLocation.position(round.location(i));
        }
        int from = 0;
        while (from < blocks) {
            int runEnd = round.runEnd(from);
            while (from < runEnd) {
                from = planStretch(from, runEnd);
            }
        }
    }

    /** Decides about the neighbours from {@code from} on whose payloads follow in the log too. */
    private int planStretch(int from, int runEnd) {
        int to = from + 1;
        while (to < runEnd && positions[to] == positions[to - 1] + Blocks.SIZE) {
            to++;
        }
        if (!borrow(from, to)) {
            for (int i = from; i < to; i++) {
                slots[i] = staged++;
            }
        }
        return to;
    }

    private boolean borrow(int from, int to) {
        int length = (to - from) * Blocks.SIZE;
        ByteBuffer memory =
                to - from < LEAST_BORROWED ? null : loan.borrow(positions[from], length);
        if (memory == null) {
            return false;
        }
        stretches.add(memory);
        Arrays.fill(slots, from, to, BORROWED);
        return true;
    }

    /** Copies what is in memory; what is not is read from the segments. */
    private void stage(Round round, Consumer<@Nullable String> told) {
        cold.begin(round);
        boolean all = true;
        for (int i = 0; i < blocks; i++) {
            int slot = slots[i];
            boolean there =
                    slot == BORROWED
                            || log.tail()
                                    .copy(positions[i], Blocks.SIZE, buffer(slot), offset(slot));
            if (!there) {
                cold.add(i);
                all = false;
            }
        }
        if (all) {
            told.accept(null);
        } else {
            cold.fetch(told);
        }
    }

    /**
     * Adds to {@code runs} what is to be written from block {@code from} of the round on, as far as
     * it goes to the same image and is worth an operation. Returns the block behind it. Called for
     * one part of the round after the other.
     */
    int runs(Round round, int from, Runs runs) {
        int i = from;
        int runEnd = from;
        while (i < blocks
                && i - from < BLOCKS_PER_BUFFER
                && round.volume(i) == round.volume(from)) {
            if (i == runEnd) {
                runEnd = round.runEnd(i);
            }
            i =
                    slots[i] == BORROWED
                            ? borrowedRun(round, i, runs)
                            : stagedRun(round, i, runEnd, runs);
        }
        return i;
    }

    private int borrowedRun(Round round, int from, Runs runs) {
        ByteBuffer stretch = stretches.get(nextStretch++);
        int count = stretch.capacity() / Blocks.SIZE;
        add(round, from, stretch, 0, count, runs);
        return from + count;
    }

    private int stagedRun(Round round, int from, int runEnd, Runs runs) {
        int slot = slots[from];
        int limit = Math.min(runEnd, from + BLOCKS_PER_BUFFER - slot % BLOCKS_PER_BUFFER);
        int i = from + 1;
        while (i < limit && slots[i] != BORROWED) {
            i++;
        }
        add(round, from, buffer(slot), offset(slot), i - from, runs);
        return i;
    }

    private static void add(
            Round round, int from, ByteBuffer source, int offset, int count, Runs runs) {
        runs.add(round.block(from) << Blocks.SHIFT, source, offset, count * Blocks.SIZE);
    }

    private ByteBuffer buffer(int slot) {
        return staging.get(slot / BLOCKS_PER_BUFFER);
    }

    private static int offset(int slot) {
        return slot % BLOCKS_PER_BUFFER * Blocks.SIZE;
    }

    /** The round has ended: its payloads are needed no more. */
    void release() {
        List<ByteBuffer> used = staging;
        staging = List.of();
        stretches.clear();
        loan.giveBack();
        log.buffers().releaseStaging(used);
    }
}
