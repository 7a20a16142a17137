// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.export;

import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.Blocks;
import storage.mars.engine.port.IoFailure;
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

    private static final int MAX_RUN = 1 << 20;

    private final VolumeIndex index;
    private final Images images;
    private final BlockReader reader;
    private final Lookup lookup = new Lookup();

    BlockStatus(VolumeIndex index, Images images, BlockReader reader) {
        this.index = index;
        this.images = images;
        this.reader = reader;
    }

    void answer(BlockRequest request, int volume) {
        Extents extents = request.extents;
        if (extents == null) {
            request.completed(Outcome.INVALID);
            return;
        }
        extents.clear();
        proceed(request, extents, volume, request.offset);
    }

    private void proceed(BlockRequest request, Extents extents, int volume, long from) {
        reader.whenServing(served -> {
            if (served) {
                walk(request, extents, volume, from);
            } else {
                request.completed(Outcome.FAILED);
            }
        });
    }

    private void walk(BlockRequest request, Extents extents, int volume, long from) {
        long end = request.offset + request.length;
        long position = from;
        boolean room = true;
        while (position < end && room) {
            long block = position >> Blocks.SHIFT;
            long blocks = Math.min(MAX_RUN, ((end - 1) >> Blocks.SHIFT) - block + 1);
            index.lookup(volume, block, (int) blocks, false, lookup);
            long runEnd = Math.min(end, (block + lookup.blocks()) << Blocks.SHIFT);
            if (lookup.kind() == Lookup.Kind.IMAGE) {
                askImage(request, extents, volume, position, runEnd);
                return;
            }
            room = extents.add(runEnd - position, lookup.kind() == Lookup.Kind.ZERO);
            position = runEnd;
        }
        request.completed(Outcome.OK);
    }

    private void askImage(
            BlockRequest request, Extents extents, int volume, long from, long runEnd) {
        long rounds = index.roundsEnded();
        images.of(volume)
                .nextExtent(
                        from,
                        runEnd,
                        (extent, failure) -> {
                            long end = extent == null ? runEnd : Math.min(Math.abs(extent), runEnd);
                            if (extent != null && extent < 0) {
                                judgeHole(request, extents, volume, from, end, rounds);
                            } else {
                                goOn(
                                        request,
                                        extents,
                                        volume,
                                        end,
                                        extents.add(end - from, false)
                                                && failureIsHarmless(failure));
                            }
                        });
    }

    /**
     * A hole may have been written to meanwhile, or be what a failed sync has left; the index
     * knows, once it is complete, and data is the safe answer.
     */
    private void judgeHole(
            BlockRequest request, Extents extents, int volume, long from, long end, long rounds) {
        reader.whenServing(served -> {
            if (served) {
                boolean hole = index.roundsEnded() == rounds && isStillImage(volume, from, end);
                goOn(request, extents, volume, end, extents.add(end - from, hole));
            } else {
                request.completed(Outcome.FAILED);
            }
        });
    }

    private void goOn(
            BlockRequest request, Extents extents, int volume, long position, boolean further) {
        if (further) {
            proceed(request, extents, volume, position);
        } else {
            request.completed(Outcome.OK);
        }
    }

    /** An image that cannot say where its holes are is all data. */
    private static boolean failureIsHarmless(@Nullable IoFailure failure) {
        return failure == null || failure.kind() != IoFailure.Kind.CLOSED;
    }

    private boolean isStillImage(int volume, long from, long end) {
        long block = from >> Blocks.SHIFT;
        int blocks = (int) Math.min(MAX_RUN, ((end - 1) >> Blocks.SHIFT) - block + 1);
        index.lookup(volume, block, blocks, false, lookup);
        return lookup.kind() == Lookup.Kind.IMAGE && lookup.blocks() == blocks;
    }
}
