// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.MetadataCodec.Slot;
import storage.mars.engine.port.BlockFile;
import storage.mars.engine.port.Completion;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Ports;
import storage.mars.engine.port.Storage;

/**
 * The metadata file of a replica: two slots that are written and synced one after the other, so
 * that one of them is whole at every moment. {@link #current} is what both hold; a start that finds
 * two generations rolls forward to both before anything else. The first failure is final. Owned by
 * the shard.
 */
public final class MetadataStore {

    private final BlockFile file;
    private final MetadataCodec codec = new MetadataCodec();
    private final ByteBuffer slot =
            ByteBuffer.allocateDirect(MetadataCodec.SLOT + Blocks.SIZE)
                    .alignedSlice(Blocks.SIZE)
                    .slice(0, MetadataCodec.SLOT);
    private final List<Completion> asking = new ArrayList<>();
    private ReplicaMetadata current;
    private ReplicaMetadata latest;
    private long generation;
    private boolean writing;
    private @Nullable IoFailure failed;

    private MetadataStore(BlockFile file, ReplicaMetadata current, long generation) {
        this.file = file;
        this.current = current;
        this.latest = current;
        this.generation = generation;
    }

    /** Outcome of opening a metadata file. */
    public sealed interface Opened {

        record Good(MetadataStore store) implements Opened {}

        /** The file is there but cannot be used; {@code reason} says why, nothing was changed. */
        record Unusable(String reason) implements Opened {}
    }

    /** Creates the file with its first version in both slots, durably. */
    public static void create(
            Ports ports,
            String name,
            ReplicaMetadata first,
            Consumer<MetadataStore> done,
            Consumer<IoFailure> failed) {
        ports.storage()
                .create(
                        name,
                        Storage.Kind.METADATA,
                        2L * MetadataCodec.SLOT,
                        (file, failure) -> {
                            if (file == null) {
                                failed.accept(orUnknown(failure));
                                return;
                            }
                            MetadataStore store = new MetadataStore(file, first, 0);
                            store.update(
                                    draft -> {},
                                    problem -> {
                                        if (problem == null) {
                                            done.accept(store);
                                        } else {
                                            file.close();
                                            failed.accept(problem);
                                        }
                                    });
                        });
    }

    /** Opens the file, chooses the newer whole slot and brings both to it. */
    public static void open(Ports ports, String name, Consumer<Opened> done) {
        ports.storage()
                .open(
                        name,
                        Storage.Kind.METADATA,
                        (file, failure) -> {
                            if (file == null) {
                                done.accept(
                                        new Opened.Unusable(
                                                "metadata file " + name + ": " + failure));
                            } else if (file.size() != 2L * MetadataCodec.SLOT) {
                                file.close();
                                done.accept(
                                        new Opened.Unusable(
                                                "metadata file " + name + " has the wrong size"));
                            } else {
                                new Opening(file, name, done).readFirst();
                            }
                        });
    }

    /** Reads the two slots one after the other. */
    private static final class Opening {

        private final BlockFile file;
        private final String name;
        private final Consumer<Opened> done;
        private final MetadataCodec codec = new MetadataCodec();
        private final ByteBuffer buffer =
                ByteBuffer.allocateDirect(MetadataCodec.SLOT + Blocks.SIZE)
                        .alignedSlice(Blocks.SIZE)
                        .slice(0, MetadataCodec.SLOT);

        Opening(BlockFile file, String name, Consumer<Opened> done) {
            this.file = file;
            this.name = name;
            this.done = done;
        }

        void readFirst() {
            read(0, first -> read(1, second -> choose(first, second)));
        }

        private void read(int number, Consumer<Slot> next) {
            file.read(
                    (long) number * MetadataCodec.SLOT,
                    buffer.clear(),
                    failure ->
                            next.accept(
                                    failure != null
                                            ? new Slot.Bad(failure.toString())
                                            : codec.decode(buffer.clear())));
        }

        private void choose(Slot first, Slot second) {
            if (first instanceof Slot.Newer newer) {
                unusable(
                        "is of version "
                                + newer.version()
                                + ", which a later engine wrote: use that engine");
            } else if (second instanceof Slot.Newer newer) {
                unusable(
                        "is of version "
                                + newer.version()
                                + ", which a later engine wrote: use that engine");
            } else if (first instanceof Slot.Good a && second instanceof Slot.Good b) {
                if (a.generation() == b.generation()) {
                    done.accept(
                            new Opened.Good(new MetadataStore(file, a.metadata(), a.generation())));
                } else if (a.generation() > b.generation()) {
                    use(a, 1);
                } else {
                    use(b, 0);
                }
            } else if (first instanceof Slot.Good a) {
                use(a, 1);
            } else if (second instanceof Slot.Good b) {
                use(b, 0);
            } else if (first instanceof Slot.Bad a && second instanceof Slot.Bad b) {
                unusable("is damaged in both copies (" + a.reason() + "; " + b.reason() + ")");
            }
        }

        /**
         * Brings the other slot to the chosen one, which is not touched: the other may be no copy
         * at all.
         */
        private void use(Slot.Good slot, int other) {
            MetadataStore store = new MetadataStore(file, slot.metadata(), slot.generation());
            codec.encode(slot.generation(), slot.metadata(), store.slot);
            store.writeSlot(
                    other,
                    failure -> {
                        if (failure == null) {
                            done.accept(new Opened.Good(store));
                        } else {
                            unusable("cannot be written: " + failure);
                        }
                    });
        }

        private void unusable(String reason) {
            file.close();
            done.accept(new Opened.Unusable("metadata file " + name + " " + reason));
        }
    }

    /** The version that is in both slots. */
    public ReplicaMetadata current() {
        return current;
    }

    /** The version that will be in both slots when all changes asked for have been made. */
    public ReplicaMetadata latest() {
        return latest;
    }

    /**
     * Changes the metadata. When {@code done} is told of success the change is in both slots,
     * synced, and in {@link #current}. Changes are applied in order; several may share one write. A
     * change that throws, or that makes the metadata too large, changes nothing.
     */
    public void update(Consumer<ReplicaMetadata.Draft> change, Completion done) {
        if (failed != null) {
            done.completed(failed);
            return;
        }
        ReplicaMetadata changed = latest.with(change);
        MetadataCodec.checkFits(changed);
        latest = changed;
        asking.add(done);
        if (!writing) {
            write();
        }
    }

    private void write() {
        List<Completion> told = List.copyOf(asking);
        asking.clear();
        ReplicaMetadata written = latest;
        codec.encode(generation + 1, written, slot);
        writing = true;
        // Both slots are whole here, so whichever of the two writes a crash tears, the other slot
        // is whole.
        writeSlot(
                0,
                first -> {
                    if (first != null) {
                        fail(first, told);
                        return;
                    }
                    writeSlot(
                            1,
                            second -> {
                                if (second != null) {
                                    fail(second, told);
                                } else {
                                    finish(written, told);
                                }
                            });
                });
    }

    private void writeSlot(int number, Completion done) {
        ByteBuffer[] buffers = {slot.clear()};
        file.writeDurably((long) number * MetadataCodec.SLOT, buffers, 1, done);
    }

    private void finish(ReplicaMetadata written, List<Completion> told) {
        generation++;
        current = written;
        writing = false;
        try {
            tell(told, null);
        } finally {
            if (!writing && !asking.isEmpty()) {
                write();
            }
        }
    }

    private void fail(IoFailure failure, List<Completion> told) {
        failed = failure;
        writing = false;
        List<Completion> all = new ArrayList<>(told);
        all.addAll(asking);
        asking.clear();
        tell(all, failure);
    }

    /** One that throws keeps the others from nothing. */
    private static void tell(List<Completion> told, @Nullable IoFailure failure) {
        RuntimeException thrown = null;
        for (Completion done : told) {
            try {
                done.completed(failure);
            } catch (RuntimeException e) {
                if (thrown == null) {
                    thrown = e;
                } else {
                    thrown.addSuppressed(e);
                }
            }
        }
        if (thrown != null) {
            throw thrown;
        }
    }

    private static IoFailure orUnknown(@Nullable IoFailure failure) {
        return failure == null ? new IoFailure(IoFailure.Kind.IO_ERROR, "unknown") : failure;
    }

    public void close() {
        file.close();
    }
}
