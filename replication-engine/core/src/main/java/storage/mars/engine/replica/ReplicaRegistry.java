// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.replica.ReplicaParts.Shared;
import storage.mars.engine.replication.PeerCodec;

/**
 * The replicas of one shard by name, and who is told when one of them changes, comes or goes. Owned
 * by the shard.
 */
final class ReplicaRegistry {

    private final Shared shared;
    private final ReplicaSettings settings;
    private final PeerCodec codec;
    private final TreeMap<String, Replica> replicas = new TreeMap<>();
    private final List<Consumer<String>> watchers = new ArrayList<>();

    ReplicaRegistry(Shared shared, ReplicaSettings settings, PeerCodec codec) {
        this.shared = shared;
        this.settings = settings;
        this.codec = codec;
    }

    /** Takes in the replica whose files are there; {@code opened} as in {@link Replica#open}. */
    Replica open(String name, Runnable opened) {
        Replica replica = new Replica(shared, settings, codec, name);
        replicas.put(name, replica);
        replica.watch(() -> changed(name));
        replica.open(opened);
        return replica;
    }

    @Nullable Replica get(String name) {
        return replicas.get(name);
    }

    List<String> names() {
        return List.copyOf(replicas.keySet());
    }

    List<Replica> all() {
        return List.copyOf(replicas.values());
    }

    void remove(String name) {
        replicas.remove(name);
    }

    void clear() {
        replicas.clear();
    }

    void watch(Consumer<String> watcher) {
        watchers.add(watcher);
    }

    void changed(String name) {
        watchers.forEach(watcher -> watcher.accept(name));
    }
}
