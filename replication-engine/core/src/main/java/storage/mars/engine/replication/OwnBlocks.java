// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replication;

import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import storage.mars.engine.port.Offload;
import storage.mars.engine.volume.Images;

/**
 * What a sync target has already, as digests: of blocks that are the same on the device and to its
 * readers. None for a hole, and for what cannot be read: then all content is sent. Owned by the
 * shard.
 */
final class OwnBlocks {

    static final ByteBuffer NONE = ByteBuffer.allocate(0);

    private final Images images;
    private final Offload offload;

    OwnBlocks(Images images, Offload offload) {
        this.images = images;
        this.offload = offload;
    }

    /**
     * Yields the digests of {@code buffer.remaining()} bytes of an image from {@code offset} on,
     * read into {@code buffer}; nothing is begun any more once {@code wanted} is false.
     */
    void digests(
            int volume,
            long offset,
            ByteBuffer buffer,
            BooleanSupplier wanted,
            Consumer<ByteBuffer> done) {
        long end = offset + buffer.remaining();
        images.of(volume)
                .nextExtent(
                        offset,
                        end,
                        (extent, failure) -> {
                            boolean hole = extent == null || extent == -end;
                            if (hole || !wanted.getAsBoolean()) {
                                done.accept(NONE);
                            } else {
                                read(volume, offset, buffer, wanted, done);
                            }
                        });
    }

    private void read(
            int volume,
            long offset,
            ByteBuffer buffer,
            BooleanSupplier wanted,
            Consumer<ByteBuffer> done) {
        BitSet unlike = new BitSet();
        images.of(volume)
                .readDevice(
                        offset,
                        buffer,
                        unlike,
                        failure -> {
                            if (failure != null || !wanted.getAsBoolean()) {
                                done.accept(NONE);
                            } else {
                                compute(buffer.flip(), unlike, done);
                            }
                        });
    }

    private void compute(ByteBuffer content, BitSet without, Consumer<ByteBuffer> done) {
        ByteBuffer[] digests = {NONE};
        offload.run(
                () -> digests[0] = BlockDigests.of(content, without),
                failure -> done.accept(failure == null ? digests[0] : NONE));
    }
}
