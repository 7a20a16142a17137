// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.control;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.time.Instant;
import storage.mars.engine.api.v1.Addresses;
import storage.mars.engine.api.v1.Capacity;
import storage.mars.engine.api.v1.Node;
import storage.mars.engine.server.config.EngineSettings;
import storage.mars.engine.server.config.EngineVersion;
import storage.mars.engine.server.host.Replicas.LogMemoryUse;

/** What the control API says of the engine itself. */
final class NodeView {

    private final EngineSettings settings;
    private final String id;
    private final Instant startedAt = Instant.now();

    NodeView(EngineSettings settings, String id) {
        this.settings = settings;
        this.id = id;
    }

    Node of(LogMemoryUse memory, int replicas) {
        Addresses.Builder addresses =
                Addresses.newBuilder()
                        .setPeer(settings.peer().toString())
                        .setAdvertise(settings.advertise().toString())
                        .setControl(settings.control().toString())
                        .setHttp(settings.http().toString());
        settings.nbd().addresses().forEach(address -> addresses.addNbd(address.toString()));
        return Node.newBuilder()
                .setName(settings.name())
                .setId(id)
                .setVersion(EngineVersion.number())
                .setAddresses(addresses)
                .setCapacity(capacity(memory))
                .setStartedAt(ProtoTime.of(startedAt))
                .setReplicas(replicas)
                .build();
    }

    private Capacity capacity(LogMemoryUse memory) {
        Capacity.Builder capacity =
                Capacity.newBuilder()
                        .setLogMemoryBytes(memory.limitBytes())
                        .setLogMemoryUsedBytes(memory.takenBytes());
        try {
            FileStore store = Files.getFileStore(settings.dataDirectory());
            capacity.setTotalBytes(store.getTotalSpace()).setAvailableBytes(store.getUsableSpace());
        } catch (IOException e) {
            // A file system that does not tell has nothing to show.
        }
        return capacity.build();
    }
}
