// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import storage.mars.engine.export.ExportRegistry;
import storage.mars.engine.fake.FakePorts;
import storage.mars.engine.fake.LogRig;
import storage.mars.engine.log.AlignedBuffers;
import storage.mars.engine.log.Blocks;
import storage.mars.engine.log.LogMemory;
import storage.mars.engine.log.MetadataStore;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.log.ReplicaMetadata.Role;
import storage.mars.engine.replication.PeerCodec;
import storage.mars.engine.replication.ReceiveMemory;
import storage.mars.engine.volume.Images;
import storage.mars.engine.volume.IndexMemory;

/** A whole secondary on {@link FakePorts}, whose members are never there. */
final class ReplicaRig {

    static final String NAME = "ns/claim";
    static final String DIRECTORY = ReplicaFiles.directory(NAME);

    final FakePorts fake;
    final IndexMemory indexMemory;
    final Replica replica;

    private ReplicaRig(FakePorts fake, int entries) {
        this.fake = fake;
        indexMemory = new IndexMemory(entries);
        ReplicaParts.Shared shared =
                new ReplicaParts.Shared(
                        fake.ports(),
                        new LogMemory(64 << 20),
                        new ReceiveMemory(8 << 20),
                        indexMemory,
                        new AlignedBuffers(16),
                        new ExportRegistry());
        ReplicaSettings settings =
                new ReplicaSettings(
                        "ams",
                        "ams:7000",
                        1,
                        LogRig.SEGMENT,
                        entries,
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(1),
                        ReplicaSettings.DEFAULT_EPOCHS_KEPT);
        replica = new Replica(shared, settings, new PeerCodec(), NAME);
    }

    /** One that has received nothing yet. */
    static ReplicaRig create() {
        FakePorts fake = new FakePorts();
        ReplicaMetadata metadata =
                new LogRig().metadata().with(draft -> draft.role = Role.SECONDARY);
        new Images(fake.ports(), DIRECTORY, metadata.identity())
                .create(metadata.volumes(), fault -> {});
        List<MetadataStore> stores = new ArrayList<>();
        MetadataStore.create(
                fake.ports(), DIRECTORY + "/meta", metadata, stores::add, failure -> {});
        fake.run();
        return open(fake, 1 << 20);
    }

    /** What is on the disks of {@code fake}, with room for so many entries in the index. */
    static ReplicaRig open(FakePorts fake, int entries) {
        ReplicaRig rig = new ReplicaRig(fake, entries);
        rig.replica.open(() -> {});
        fake.run();
        return rig;
    }

    /** Puts a frame of one block behind the log, as if it had been received. */
    void receive(long block, int fill) {
        ReplicaParts parts = replica.parts();
        parts.builder.epoch(LogRig.EPOCH);
        if (LogRig.write(parts.builder, parts.writer, block, 1, fill) < 0) {
            throw new IllegalStateException("no room in the log");
        }
        fake.run();
    }

    int image(long block) {
        return fake.file(DIRECTORY + "/volume-0.img").data[(int) block * Blocks.SIZE];
    }
}
