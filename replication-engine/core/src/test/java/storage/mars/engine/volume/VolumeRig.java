// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.fake.FakePorts;
import storage.mars.engine.fake.LogRig;
import storage.mars.engine.log.Blocks;
import storage.mars.engine.log.LinkReader;
import storage.mars.engine.log.LogAccess;
import storage.mars.engine.log.MetadataStore;
import storage.mars.engine.log.RecordType;
import storage.mars.engine.port.IoFailure;

/**
 * A volume of 4 MiB with its log, index, image, write-back and checkpoints on {@link FakePorts}.
 */
final class VolumeRig implements IndexFeed.Listener, WriteBack.Listener, Checkpointer.Listener {

    static final String IMAGE = "images/volume-0.img";

    final LogRig log;
    final FakePorts fake;
    final LogAccess access;
    final VolumeIndex index;
    final Images images;
    final ImageTurns turns = new ImageTurns();
    final MetadataStore metadata;
    final BlockReader reader;
    final IndexFeed feed;
    final WriteBack writeBack;
    final Checkpointer checkpointer;
    final List<String> damage = new ArrayList<>();
    int checkpoints;
    @Nullable IoFailure metadataFailure;
    long retained = Long.MAX_VALUE;
    boolean writesBack = true;
    int mostEntries;

    VolumeRig() {
        this(new LogRig());
    }

    VolumeRig(LogRig log) {
        this(log, log.log, new VolumeIndex(new IndexMemory(1 << 20)), null);
    }

    /** With room for so many entries in the index. */
    VolumeRig(int entries) {
        this(new LogRig(), entries);
    }

    private VolumeRig(LogRig log, int entries) {
        this(log, log.log, new VolumeIndex(new IndexMemory(entries)), null);
    }

    /** With {@code opened} metadata the image exists. */
    VolumeRig(LogRig log, LogAccess access, VolumeIndex index, @Nullable MetadataStore opened) {
        this(log, access, index, opened, log.tail.durable());
    }

    /** The index has the log below {@code fed} only. */
    VolumeRig(
            LogRig log,
            LogAccess access,
            VolumeIndex index,
            @Nullable MetadataStore opened,
            long fed) {
        this.log = log;
        this.fake = log.fake;
        this.access = access;
        this.index = index;
        List<MetadataStore> stores = new ArrayList<>();
        images = new Images(fake.ports(), "images", log.metadata().identity());
        if (opened == null) {
            MetadataStore.create(
                    fake.ports(), "metadata", log.metadata(), stores::add, failure -> {});
            images.create(log.metadata().volumes(), fault -> {});
        } else {
            stores.add(opened);
            images.open(
                    log.metadata().volumes(),
                    fault -> {
                        if (fault != null) {
                            throw new IllegalStateException(fault);
                        }
                    });
        }
        fake.run();
        metadata = stores.getFirst();
        reader = new BlockReader(index, images, access);
        feed = new IndexFeed(index, access, fed, log.tail.durable(), this);
        writeBack = new WriteBack(index, images, access, turns, fake.ports(), this);
        checkpointer =
                new Checkpointer(
                        log.tail,
                        log.segments,
                        metadata,
                        new LinkReader(log.tail, log.segments, access.buffers()),
                        images,
                        feed,
                        writeBack,
                        reader,
                        () -> retained,
                        this);
        log.onDurable = feed::advance;
    }

    /** Block 0 is 1 and in the image, block 1 is 2 and in the segments alone. */
    void writeOneBackAndOneNot() {
        write(0, 1, 1);
        fake.run();
        writesBack = false;
        write(1, 1, 2);
        fake.run();
        log.tail.releaseIdleMemory();
    }

    void write(long block, int blocks, int fill) {
        long location = log.write(block, blocks, fill);
        if (location < 0) {
            throw new IllegalStateException("no room in the log");
        }
        index.admitWrite(0, block, blocks, location, log.builder.order());
    }

    void zero(RecordType type, long block, long blocks) {
        if (!log.range(type, block, blocks)) {
            throw new IllegalStateException("no room in the log");
        }
        index.admitZero(0, block, blocks, log.builder.order());
    }

    /** The byte that fills each of the blocks, as a client reads them. */
    List<Integer> read(long block, int blocks) {
        List<Integer> fills = new ArrayList<>();
        ByteBuffer into = ByteBuffer.allocate(blocks * Blocks.SIZE);
        List<String> failures = new ArrayList<>();
        reader.read(
                0,
                block * Blocks.SIZE,
                into,
                false,
                failure -> {
                    if (failure != null) {
                        failures.add(failure.toString());
                    }
                    fills.addAll(fills(into.array(), 0, blocks));
                });
        fake.run();
        if (!failures.isEmpty()) {
            throw new IllegalStateException(failures.getFirst());
        }
        return fills;
    }

    /** The same of what the image holds, as written or as synced. */
    List<Integer> image(long block, int blocks) {
        return fills(fake.file(IMAGE).data, (int) block, blocks);
    }

    List<Integer> syncedImage(long block, int blocks) {
        return fills(fake.file(IMAGE).synced, (int) block, blocks);
    }

    private static List<Integer> fills(byte[] bytes, int block, int blocks) {
        List<Integer> fills = new ArrayList<>();
        for (int b = block; b < block + blocks; b++) {
            byte fill = bytes[b * Blocks.SIZE];
            for (int i = 0; i < Blocks.SIZE; i++) {
                if (bytes[b * Blocks.SIZE + i] != fill) {
                    throw new IllegalStateException("block " + b + " is mixed");
                }
            }
            fills.add((int) fill);
        }
        return fills;
    }

    @Override
    public void fed() {
        mostEntries = Math.max(mostEntries, index.blocks() + index.zeroRanges());
        checkpointer.refed();
        if (writesBack) {
            writeBack.wake();
        }
    }

    @Override
    public void wroteBack() {
        checkpointer.drained();
    }

    @Override
    public void logDamaged(String reason) {
        damage.add(reason);
    }

    @Override
    public void checkpointed() {
        checkpoints++;
    }

    @Override
    public void metadataFailed(IoFailure failure) {
        metadataFailure = failure;
    }
}
