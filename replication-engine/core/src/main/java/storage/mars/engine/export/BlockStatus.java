// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.export;

import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.Blocks;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Shard;
import storage.mars.engine.volume.BlockReader;
import storage.mars.engine.volume.Images;
import storage.mars.engine.volume.Lookup;
import storage.mars.engine.volume.VolumeIndex;

/**
 * Answers which parts of a range hold data: what the index knows, acknowledged writes that are only
 * in the log included, and the holes of the image elsewhere. "Data" is always a safe answer. Owned
 * by the shard.
 */
final class BlockStatus {

    /** Blocks that are looked up at a time. */
    private static final int MAX_RUN = 1 << 12;

    private static final int MIN_RUN = 1 << 4;

    /** So many blocks are looked up before others of the shard have their turn. */
    private static final int BLOCKS_PER_TURN = 1 << 14;

    private final VolumeIndex index;
    private final Images images;
    private final BlockReader reader;
    private final Shard shard;
    private final Lookup lookup = new Lookup();

    BlockStatus(VolumeIndex index, Images images, BlockReader reader, Shard shard) {
        this.index = index;
        this.images = images;
        this.reader = reader;
        this.shard = shard;
    }

    void answer(BlockRequest request, int volume) {
        Extents extents = request.extents;
        if (extents == null) {
            request.end(Outcome.INVALID);
            return;
        }
        extents.clear();
        new Question(request, extents, volume).proceed();
    }

    /** One request and how far it is answered. */
    private final class Question {

        private final BlockRequest request;
        private final Extents extents;
        private final int volume;
        private final long end;
        private long position;
        private int run = MAX_RUN;

        Question(BlockRequest request, Extents extents, int volume) {
            this.request = request;
            this.extents = extents;
            this.volume = volume;
            this.position = request.offset;
            this.end = request.offset + request.length;
        }

        void proceed() {
            reader.whenServing(served -> {
                if (served) {
                    walk();
                } else {
                    request.end(Outcome.FAILED);
                }
            });
        }

        private void walk() {
            long turn = position + (long) BLOCKS_PER_TURN * Blocks.SIZE;
            while (position < end) {
                if (position >= turn) {
                    shard.execute(this::proceed);
                    return;
                }
                long block = position >> Blocks.SHIFT;
                int blocks = (int) Math.min(run, ((end - 1) >> Blocks.SHIFT) - block + 1);
                index.lookup(volume, block, blocks, false, lookup);
                long runEnd = Math.min(end, (block + lookup.blocks()) << Blocks.SHIFT);
                if (lookup.kind() == Lookup.Kind.IMAGE) {
                    askImage(runEnd);
                    return;
                }
                if (!add(runEnd, lookup.kind() == Lookup.Kind.ZERO)) {
                    break;
                }
            }
            request.end(Outcome.OK);
        }

        /**
         * Small extents are looked up in small steps, so all of it costs what the range is long.
         */
        private boolean add(long until, boolean hole) {
            long length = until - position;
            boolean room = extents.add(length, hole);
            position = until;
            run = Math.clamp(4 * (length >> Blocks.SHIFT), MIN_RUN, MAX_RUN);
            return room;
        }

        private void askImage(long runEnd) {
            long rounds = index.roundsEnded();
            images.of(volume)
                    .nextExtent(
                            position,
                            runEnd,
                            (extent, failure) -> {
                                long until =
                                        extent == null
                                                ? runEnd
                                                : Math.min(Math.abs(extent), runEnd);
                                if (extent != null && extent < 0) {
                                    judgeHole(until, rounds);
                                } else if (failureIsHarmless(failure)) {
                                    goOn(until, false);
                                } else {
                                    add(until, false);
                                    request.end(Outcome.OK);
                                }
                            });
        }

        /**
         * A hole may have been written to meanwhile, or be what a failed sync has left; the index
         * knows, once it is complete, and data is the safe answer.
         */
        private void judgeHole(long until, long rounds) {
            reader.whenServing(served -> {
                if (served) {
                    goOn(until, index.roundsEnded() == rounds && isStillImage(until));
                } else {
                    request.end(Outcome.FAILED);
                }
            });
        }

        private void goOn(long until, boolean hole) {
            if (add(until, hole)) {
                proceed();
            } else {
                request.end(Outcome.OK);
            }
        }

        private boolean isStillImage(long until) {
            long block = position >> Blocks.SHIFT;
            int blocks = (int) (((until - 1) >> Blocks.SHIFT) - block + 1);
            index.lookup(volume, block, blocks, false, lookup);
            return lookup.kind() == Lookup.Kind.IMAGE && lookup.blocks() == blocks;
        }
    }

    /** An image that cannot say where its holes are is all data. */
    private static boolean failureIsHarmless(@Nullable IoFailure failure) {
        return failure == null || failure.kind() != IoFailure.Kind.CLOSED;
    }
}
