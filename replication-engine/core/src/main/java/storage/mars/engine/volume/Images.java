// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.volume;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.Blocks;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.log.ReplicaMetadata.VolumeShape;
import storage.mars.engine.port.BlockFile;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Ports;
import storage.mars.engine.port.Storage;

/**
 * The image files of one replica's volumes. Each is as long as its volume plus one block, the
 * label, which says whose image it is; so a file that was swapped or restored into the wrong place
 * is noticed before it is used. Owned by the shard.
 */
public final class Images {

    private static final long LABEL_MAGIC = 0x4741_4d49_5352_414dL;

    private final Ports ports;
    private final String directory;
    private final ReplicaMetadata.Identity identity;
    private final @Nullable BlockFile[] files = new BlockFile[16];
    private final List<Completion> syncAsked = new ArrayList<>();
    private List<VolumeShape> shapes = List.of();
    private Consumer<IoFailure> onFailedSync = failure -> {};
    private int failedSyncs;
    private boolean syncing;
    private boolean closed;

    public Images(Ports ports, String directory, ReplicaMetadata.Identity identity) {
        this.ports = ports;
        this.directory = directory;
        this.identity = identity;
    }

    /** Why the images cannot be used; null when they can. */
    public interface Ready {
        void ready(@Nullable String fault);
    }

    /** Creates the images, which read as zero, with durable labels. */
    public void create(List<VolumeShape> volumes, Ready done) {
        shapes = List.copyOf(volumes);
        each(volumes.iterator(), this::createOne, done);
    }

    /** Opens the images and checks size and label of each. */
    public void open(List<VolumeShape> volumes, Ready done) {
        shapes = List.copyOf(volumes);
        each(volumes.iterator(), this::openOne, done);
    }

    private interface Step {
        void run(VolumeShape shape, Consumer<@Nullable String> done);
    }

    private void each(Iterator<VolumeShape> volumes, Step step, Ready done) {
        if (!volumes.hasNext()) {
            done.ready(null);
            return;
        }
        step.run(
                volumes.next(),
                fault -> {
                    if (fault == null) {
                        each(volumes, step, done);
                    } else {
                        done.ready(fault);
                    }
                });
    }

    private void createOne(VolumeShape shape, Consumer<@Nullable String> done) {
        String name = name(shape);
        ports.storage()
                .create(
                        name,
                        Storage.Kind.IMAGE,
                        shape.sizeBytes() + Blocks.SIZE,
                        (file, failure) -> {
                            if (file == null) {
                                done.accept("image " + name + " cannot be created: " + failure);
                                return;
                            }
                            files[shape.id()] = file;
                            ByteBuffer[] label = {label(shape)};
                            file.writeDurably(
                                    shape.sizeBytes(),
                                    label,
                                    1,
                                    problem ->
                                            done.accept(
                                                    problem == null
                                                            ? null
                                                            : "image "
                                                                    + name
                                                                    + " cannot be labelled: "
                                                                    + problem));
                        });
    }

    private void openOne(VolumeShape shape, Consumer<@Nullable String> done) {
        String name = name(shape);
        ports.storage()
                .open(
                        name,
                        Storage.Kind.IMAGE,
                        (file, failure) -> {
                            if (file == null) {
                                done.accept("image " + name + " cannot be opened: " + failure);
                                return;
                            }
                            files[shape.id()] = file;
                            long expected = shape.sizeBytes() + Blocks.SIZE;
                            if (file.size() != expected) {
                                done.accept(
                                        "image "
                                                + name
                                                + " has "
                                                + file.size()
                                                + " bytes instead of "
                                                + expected);
                                return;
                            }
                            ByteBuffer found = block();
                            file.read(
                                    shape.sizeBytes(),
                                    found,
                                    problem -> {
                                        if (problem != null) {
                                            done.accept(
                                                    "image "
                                                            + name
                                                            + " cannot be read: "
                                                            + problem);
                                        } else {
                                            boolean own = found.flip().equals(label(shape));
                                            done.accept(
                                                    own
                                                            ? null
                                                            : "image "
                                                                    + name
                                                                    + " belongs to another volume or replica");
                                        }
                                    });
                        });
    }

    private static ByteBuffer block() {
        return ByteBuffer.allocateDirect(Blocks.SIZE).order(ByteOrder.LITTLE_ENDIAN);
    }

    private ByteBuffer label(VolumeShape shape) {
        ByteBuffer label = block();
        label.putLong(LABEL_MAGIC).putLong(identity.resourceId()).putLong(identity.replicaId());
        label.putInt(shape.id());
        return label.clear();
    }

    private String name(VolumeShape shape) {
        return directory + "/volume-" + shape.id() + ".img";
    }

    public List<VolumeShape> shapes() {
        return shapes;
    }

    /** The image of that volume. */
    public BlockFile of(int volume) {
        BlockFile file = files[volume];
        if (file == null) {
            throw new IllegalStateException("volume " + volume + " has no image");
        }
        return file;
    }

    /** Bytes of that volume; negative when this replica has none of that number. */
    public long boundOf(int volume) {
        BlockFile file = volume < files.length ? files[volume] : null;
        return file == null ? -1 : file.size() - Blocks.SIZE;
    }

    public long sizeBytes(int volume) {
        return of(volume).size() - Blocks.SIZE;
    }

    /**
     * Makes everything that was written to any image durable before the call. One pass at a time,
     * so that a failure, which a file may tell only once, is known to all before the next begins.
     */
    public void sync(Completion done) {
        syncAsked.add(done);
        if (!syncing) {
            startSync();
        }
    }

    private void startSync() {
        List<Completion> told = List.copyOf(syncAsked);
        syncAsked.clear();
        syncing = true;
        syncNext(
                shapes.iterator(),
                failure -> {
                    syncing = false;
                    if (failure != null) {
                        failedSyncs++;
                        onFailedSync.accept(failure);
                    }
                    told.forEach(done -> done.completed(failure));
                    if (!syncing && !syncAsked.isEmpty()) {
                        startSync();
                    }
                });
    }

    private void syncNext(Iterator<VolumeShape> volumes, Completion done) {
        if (closed) {
            done.completed(new IoFailure(IoFailure.Kind.CLOSED, "the images have been closed"));
            return;
        }
        if (!volumes.hasNext()) {
            done.completed(null);
            return;
        }
        of(volumes.next().id())
                .sync((@Nullable IoFailure failure) -> {
                    if (failure == null) {
                        syncNext(volumes, done);
                    } else {
                        done.completed(failure);
                    }
                });
    }

    /**
     * How many syncs have failed, whoever asked for them. What was written before such a failure
     * may be lost, even when a later sync succeeds.
     */
    public int failedSyncs() {
        return failedSyncs;
    }

    /** Who is told first of each failed sync. */
    void onFailedSync(Consumer<IoFailure> task) {
        onFailedSync = task;
    }

    /** A pass of {@link #sync} that is under way ends with the file that it is at. */
    public void close() {
        closed = true;
        for (BlockFile file : files) {
            if (file != null) {
                file.close();
            }
        }
    }
}
