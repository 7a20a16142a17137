// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import storage.mars.engine.log.LogLocation;

/**
 * A resource around the index, block by block: its log, its images with what of them is synced, and
 * the write-back that moves a round one image operation at a time. Fault model: a round may stop
 * after any operation; a failed image sync and a crash lose any of the blocks written since the
 * last good sync; a crash also loses what is not durable.
 */
final class IndexModel {

    static final int VOLUMES = 3;
    static final int BLOCKS = 40;
    private static final long NOTHING = -1;

    private record LogRecord(
            boolean zero, int volume, int first, int count, long location, long order, long frame) {

        boolean covers(int volume, int block) {
            return this.volume == volume && block >= first && block < first + count;
        }

        /** The version of a block: unique, tells zero from write. */
        long version() {
            return order * 2 + (zero ? 1 : 0);
        }
    }

    private final RandomGenerator random;
    private final IndexMemory memory = new IndexMemory(1 << 20);
    private final VolumeIndex index = new VolumeIndex(memory);
    private final Lookup found = new Lookup();
    private final List<LogRecord> durable = new ArrayList<>();
    private final List<LogRecord> fresh = new ArrayList<>();
    private long end;
    private long durableEnd;
    private long checkpoint;
    private long lastApplied;
    private final long[][] atCheckpoint = images();
    private final long[][] newest = images();
    private final long[][] newestDurable = images();
    private final long[][] image = images();
    private final long[][] synced = images();
    private final List<Runnable> imageOperations = new ArrayList<>();
    private boolean roundRuns;

    IndexModel(RandomGenerator random) {
        this.random = random;
    }

    void step() {
        switch (random.nextInt(20)) {
            case 0, 1, 2, 3, 4, 5 -> admitFrame();
            case 6, 7, 8, 9 -> makeDurable();
            case 10 -> receiveFrame();
            case 11, 12, 13 -> writeBack(1 + random.nextInt(4));
            case 14, 15 -> writeBack(Integer.MAX_VALUE);
            case 16 -> failRound();
            case 17, 18 -> syncImages(random.nextInt(8) > 0);
            default -> {
                if (random.nextInt(20) == 0) {
                    crash();
                }
            }
        }
    }

    private void admitFrame() {
        for (var admitted : newFrame()) {
            if (admitted.zero) {
                index.admitZero(admitted.volume, admitted.first, admitted.count, admitted.order);
            } else {
                index.admitWrite(
                        admitted.volume,
                        admitted.first,
                        admitted.count,
                        admitted.location,
                        admitted.order);
            }
            fresh.add(admitted);
            apply(admitted, newest);
        }
    }

    /** All that is admitted, or only the frames before a random one. */
    private void makeDurable() {
        if (fresh.isEmpty()) {
            return;
        }
        long upTo = fresh.get(random.nextInt(fresh.size())).frame;
        while (!fresh.isEmpty() && fresh.getFirst().frame <= upTo) {
            var next = fresh.removeFirst();
            addDurable(next);
            durable.add(next);
            apply(next, newestDurable);
        }
        durableEnd = fresh.isEmpty() ? end : fresh.getFirst().frame;
    }

    /** As a secondary does: durable without having been admitted. */
    private void receiveFrame() {
        if (!fresh.isEmpty()) {
            return;
        }
        for (var received : newFrame()) {
            addDurable(received);
            durable.add(received);
            apply(received, newest);
            apply(received, newestDurable);
        }
        durableEnd = end;
    }

    private void addDurable(LogRecord next) {
        if (next.zero) {
            index.durableZero(next.volume, next.first, next.count, next.order, next.frame);
        } else {
            index.durableWrite(
                    next.volume, next.first, next.count, next.location, next.order, next.frame);
        }
    }

    private List<LogRecord> newFrame() {
        long frame = end;
        long position = frame + 4096;
        var records = new ArrayList<LogRecord>();
        for (int i = 1 + random.nextInt(5); i > 0; i--) {
            boolean zero = random.nextInt(3) == 0;
            int longest = random.nextInt(6) == 0 ? BLOCKS : zero ? 12 : 5;
            int first = random.nextInt(BLOCKS);
            int count = Math.min(1 + random.nextInt(longest), BLOCKS - first);
            long location = zero ? 0 : LogLocation.of(position, frame);
            long order = frame + records.size();
            records.add(
                    new LogRecord(
                            zero, random.nextInt(VOLUMES), first, count, location, order, frame));
            position += zero ? 0 : count * 4096L;
        }
        end = position + (random.nextInt(30) == 0 ? random.nextInt(1000) * 4096L : 0);
        return records;
    }

    private void writeBack(int operations) {
        if (!roundRuns) {
            startRound();
            return;
        }
        for (int i = 0; i < operations && !imageOperations.isEmpty(); i++) {
            imageOperations.removeFirst().run();
        }
        if (imageOperations.isEmpty()) {
            index.roundDone();
            roundRuns = false;
        }
    }

    private void startRound() {
        int maxBlocks = 1 + random.nextInt(random.nextBoolean() ? 6 : 60);
        roundRuns = index.startRound(maxBlocks);
        if (!roundRuns) {
            return;
        }
        var round = index.round();
        assertThat(round.blocks()).isLessThanOrEqualTo(maxBlocks);
        while (round.nextZeros()) {
            for (long b = 0; b < round.zeroBlocks(); b++) {
                int volume = round.zeroVolume();
                int block = (int) (round.zeroBlock() + b);
                long version = zeroCovering(volume, block);
                imageOperations.add(() -> image[volume][block] = version);
            }
        }
        for (int i = 0; i < round.blocks(); i++) {
            int volume = round.volume(i);
            int block = (int) round.block(i);
            long version = written(volume, block, round.location(i));
            imageOperations.add(() -> image[volume][block] = version);
        }
    }

    private void failRound() {
        if (roundRuns) {
            index.roundFailed();
            imageOperations.clear();
            roundRuns = false;
        }
    }

    private void syncImages(boolean good) {
        long applied = index.applied(durableEnd);
        if (good) {
            moveCheckpoint(applied);
            copy(image, synced);
            return;
        }
        failRound();
        loseUnsynced();
        durable.forEach(this::addDurable);
        lastApplied = checkpoint;
    }

    private void moveCheckpoint(long applied) {
        checkpoint = applied;
        while (!durable.isEmpty() && durable.getFirst().frame < checkpoint) {
            apply(durable.removeFirst(), atCheckpoint);
        }
    }

    private void crash() {
        index.clear();
        imageOperations.clear();
        roundRuns = false;
        loseUnsynced();
        fresh.clear();
        end = durableEnd;
        copy(newestDurable, newest);
        durable.forEach(this::addDurable);
        lastApplied = checkpoint;
    }

    private void loseUnsynced() {
        for (int volume = 0; volume < VOLUMES; volume++) {
            for (int block = 0; block < BLOCKS; block++) {
                if (random.nextBoolean()) {
                    image[volume][block] = synced[volume][block];
                }
            }
        }
        copy(image, synced);
    }

    /** Everything that must hold between two operations. */
    void check() {
        assertThat(memory.held()).isEqualTo(index.blocks() + index.zeroRanges());
        checkLookups(false, newest);
        checkLookups(true, newestDurable);
        checkApplied();
    }

    private void checkApplied() {
        long applied = index.applied(durableEnd);
        assertThat(applied).isBetween(lastApplied, durableEnd);
        assertThat(applied == durableEnd || durable.stream().anyMatch(r -> r.frame == applied))
                .as("applied is a frame start")
                .isTrue();
        lastApplied = applied;
        var below = images();
        copy(atCheckpoint, below);
        durable.stream().filter(r -> r.frame < applied).forEach(r -> apply(r, below));
        var replayed = images();
        copy(image, replayed);
        durable.stream().filter(r -> r.frame >= applied).forEach(r -> apply(r, replayed));
        for (int volume = 0; volume < VOLUMES; volume++) {
            assertThat(replayed[volume]).as("image + log").isEqualTo(newestDurable[volume]);
            for (int block = 0; block < BLOCKS; block++) {
                assertThat(image[volume][block])
                        .as("block %s of %s", block, volume)
                        .isBetween(below[volume][block], newestDurable[volume][block]);
            }
        }
    }

    private void checkLookups(boolean durableOnly, long[][] expected) {
        for (int volume = 0; volume < VOLUMES; volume++) {
            for (int block = 0; block < BLOCKS; ) {
                int max = 1 + random.nextInt(BLOCKS - block);
                index.lookup(volume, block, max, durableOnly, found);
                assertThat(found.blocks()).isBetween(1, max);
                checkRun(volume, block, found, expected[volume]);
                if (found.blocks() < max) {
                    checkRunEnds(volume, block + found.blocks(), durableOnly);
                }
                block += found.blocks();
            }
        }
    }

    private void checkRun(int volume, int first, Lookup run, long[] expected) {
        for (int block = first; block < first + run.blocks(); block++) {
            long version =
                    switch (run.kind()) {
                        case IMAGE -> image[volume][block];
                        case ZERO -> Math.max(0, expected[block]) | 1;
                        case LOG ->
                                written(
                                        volume,
                                        block,
                                        LogLocation.plus(run.location(), block - first));
                    };
            assertThat(version).as("block %s of %s", block, volume).isEqualTo(expected[block]);
        }
    }

    /** The block behind a run is of another kind or of another record. */
    private void checkRunEnds(int volume, int block, boolean durableOnly) {
        var kind = found.kind();
        long next =
                kind == Lookup.Kind.LOG
                        ? LogLocation.plus(found.location(), found.blocks())
                        : NOTHING;
        var behind = new Lookup();
        index.lookup(volume, block, 1, durableOnly, behind);
        boolean continues =
                behind.kind() == kind
                        && (kind != Lookup.Kind.LOG
                                || (behind.location() == next
                                        && sameRecord(volume, block - 1, block, next)));
        assertThat(continues).as("run ends before block %s of %s", block, volume).isFalse();
    }

    private boolean sameRecord(int volume, int before, int block, long location) {
        return all().stream()
                .anyMatch(r ->
                        r.covers(volume, before)
                                && r.covers(volume, block)
                                && LogLocation.plus(r.location, block - r.first) == location);
    }

    /** Writes everything back without faults; then nothing may be left. */
    void drain() {
        while (!fresh.isEmpty()) {
            makeDurable();
        }
        for (int rounds = 0; index.blocks() + index.zeroRanges() > 0; rounds++) {
            assertThat(rounds).as("write-back ends").isLessThan(10_000);
            writeBack(Integer.MAX_VALUE);
        }
        assertThat(index.applied(durableEnd)).isEqualTo(durableEnd);
        assertThat(image).isDeepEqualTo(newestDurable);
        index.trim();
        assertThat(index.memoryBytes()).isZero();
    }

    private List<LogRecord> all() {
        var all = new ArrayList<>(durable);
        all.addAll(fresh);
        return all;
    }

    /** The version that a location says, which must be one of this very block. */
    private long written(int volume, int block, long location) {
        return all().stream()
                .filter(r -> !r.zero && r.covers(volume, block))
                .filter(r -> LogLocation.plus(r.location, block - r.first) == location)
                .mapToLong(LogRecord::version)
                .findAny()
                .orElseThrow(() -> new AssertionError("no version of " + block + ": " + location));
    }

    /** The newest durable zero of a block: a round has taken all of them. */
    private long zeroCovering(int volume, int block) {
        return durable.stream()
                .filter(r -> r.zero && r.covers(volume, block))
                .mapToLong(LogRecord::version)
                .max()
                .orElseThrow(() -> new AssertionError("no zero range over " + block));
    }

    private static void apply(LogRecord next, long[][] versions) {
        Arrays.fill(versions[next.volume], next.first, next.first + next.count, next.version());
    }

    private static void copy(long[][] from, long[][] to) {
        for (int volume = 0; volume < VOLUMES; volume++) {
            System.arraycopy(from[volume], 0, to[volume], 0, BLOCKS);
        }
    }

    private static long[][] images() {
        var images = new long[VOLUMES][BLOCKS];
        for (var one : images) {
            Arrays.fill(one, NOTHING);
        }
        return images;
    }
}
