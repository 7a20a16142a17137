// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.util.ArrayList;
import java.util.List;
import storage.mars.engine.export.ExportRegistry;
import storage.mars.engine.fake.FakePorts;
import storage.mars.engine.fake.LogRig;
import storage.mars.engine.log.AlignedBuffers;
import storage.mars.engine.log.Blocks;
import storage.mars.engine.log.Chain;
import storage.mars.engine.log.Epoch;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.FrameView;
import storage.mars.engine.log.LogMemory;
import storage.mars.engine.log.MetadataStore;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.log.ReplicaMetadata.Checkpoint;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.replication.ReceiveMemory;
import storage.mars.engine.volume.IndexMemory;

/** The files of one replica on {@link FakePorts}, and its parts once they have been opened. */
final class PartsRig {

    static final String DIRECTORY = ReplicaFiles.directory("r");
    static final String IMAGE = DIRECTORY + "/volume-0.img";
    static final String META = DIRECTORY + "/meta";
    static final String LOG = DIRECTORY + "/log/";

    final FakePorts fake;
    final MetadataStore metadata;
    private final List<ReplicaParts> opened = new ArrayList<>();
    private final List<String> refused = new ArrayList<>();

    /** The metadata as they were found; nothing is opened yet. */
    private PartsRig(FakePorts fake) {
        this.fake = fake;
        List<MetadataStore> found = new ArrayList<>();
        MetadataStore.open(
                fake.ports(),
                META,
                outcome -> {
                    if (outcome instanceof MetadataStore.Opened.Good good) {
                        found.add(good.store());
                    }
                });
        fake.run();
        metadata = found.getFirst();
    }

    /** A new replica, which has been opened. */
    static PartsRig created() {
        return on(files()).open();
    }

    /** The files of a new replica. */
    static FakePorts files() {
        FakePorts fake = new FakePorts();
        EpochHistory history =
                new EpochHistory(List.of(new Epoch(LogRig.EPOCH, LogRig.REPLICA, 0, Epoch.OPEN)));
        ReplicaMetadata first = LogRig.metadata(history, new Checkpoint(0, Chain.Link.START), 0);
        new ReplicaFiles(fake.ports()).create("r", first, failure -> {});
        fake.run();
        return fake.afterPowerLoss();
    }

    /** What is there, read by a new process. */
    static PartsRig on(FakePorts fake) {
        return new PartsRig(fake);
    }

    static ReplicaParts.Shared shared(FakePorts fake) {
        return new ReplicaParts.Shared(
                fake.ports(),
                new LogMemory(64 << 20),
                new ReceiveMemory(8 << 20),
                new IndexMemory(1 << 20),
                new AlignedBuffers(24),
                new ExportRegistry());
    }

    PartsRig open() {
        new ReplicaOpening(
                        shared(fake),
                        DIRECTORY,
                        metadata,
                        new ReplicaOpening.Outcome() {

                            @Override
                            public void recovered(FrameView frame) {}

                            @Override
                            public void opened(ReplicaParts parts) {
                                parts.builder.epoch(LogRig.EPOCH);
                                parts.handTo(new Idle(parts));
                                opened.add(parts);
                            }

                            @Override
                            public void corrupt(String reason) {
                                refused.add(reason);
                            }

                            @Override
                            public void failed(String reason) {
                                refused.add(reason);
                            }
                        })
                .start();
        fake.run();
        return this;
    }

    boolean isOpen() {
        return !opened.isEmpty();
    }

    List<String> refused() {
        return refused;
    }

    ReplicaParts parts() {
        return opened.getFirst();
    }

    ReplicaMetadata current() {
        return metadata.current();
    }

    /** One block, not yet durable. */
    void write(long block, int fill) {
        ReplicaParts parts = parts();
        if (LogRig.write(parts.builder, parts.writer, block, 1, fill) < 0) {
            throw new IllegalStateException("no room in the log");
        }
    }

    /** What fills that block of the image, as synced. */
    int image(long block) {
        return fake.file(IMAGE).synced[(int) block * Blocks.SIZE];
    }

    /** Has the log written and nothing else done. */
    private record Idle(ReplicaParts parts) implements ReplicaParts.Owner {

        @Override
        public long needed() {
            return 0;
        }

        @Override
        public void beforeWrite() {
            parts.builder.seal();
        }

        @Override
        public void durable(long from, long to) {
            parts.feed.advance();
        }

        @Override
        public void logFailed(IoFailure failure) {}

        @Override
        public void fed() {}

        @Override
        public void logDamaged(String reason) {}

        @Override
        public void wroteBack() {}

        @Override
        public void checkpointed() {}

        @Override
        public void metadataFailed(IoFailure failure) {}
    }
}
