// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.export;

import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/**
 * The exports of one engine by name. The only thing of the engine that several threads look at:
 * what it holds is immutable, and is put and taken by the shards.
 */
public final class ExportRegistry implements Exports {

    private final ConcurrentSkipListMap<String, VolumeTarget> targets =
            new ConcurrentSkipListMap<>();

    @Override
    public List<Listed> list() {
        return targets.values().stream()
                .map(target -> new Listed(target.info().name(), target.description()))
                .toList();
    }

    @Override
    public @Nullable Target find(String name) {
        return targets.get(name);
    }

    void put(Collection<VolumeTarget> added) {
        added.forEach(target -> targets.put(target.info().name(), target));
    }

    void remove(Collection<VolumeTarget> removed) {
        removed.forEach(target -> targets.remove(target.info().name(), target));
    }
}
