// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.export.ExportInfo;
import storage.mars.engine.export.Exports;
import storage.mars.engine.port.Shard;

/** Exports without an engine. */
final class MemoryExports implements Exports {

    private final Map<String, MemoryExport> exports = new ConcurrentSkipListMap<>();

    MemoryExport add(String name, long size, boolean readOnly, Shard shard) {
        MemoryExport export = new MemoryExport(shard, new ExportInfo(name, size, readOnly, 1));
        exports.put(name, export);
        return export;
    }

    @Override
    public List<Listed> list() {
        return exports.keySet().stream().map(name -> new Listed(name, "in memory")).toList();
    }

    @Override
    public @Nullable Target find(String name) {
        return exports.get(name);
    }
}
