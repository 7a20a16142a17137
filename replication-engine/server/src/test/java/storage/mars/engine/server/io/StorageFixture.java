// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.nio.file.Path;
import java.time.Duration;

/** One shard with its storage in a directory, for one test. */
record StorageFixture(
        ShardGroup group, IoThreads threads, DataDirectory directory, FileStorage storage)
        implements AutoCloseable {

    static StorageFixture open(Path root) throws UnusableDirectoryException {
        DataDirectory directory = DataDirectory.open(DirectoryLock.take(root));
        ShardGroup group = ShardGroup.start(1);
        IoThreads threads = new IoThreads(new IoThreads.Settings(1, 3, Duration.ofNanos(50_000)));
        FileStorage storage = new FileStorage(directory, group.shards().getFirst(), threads);
        return new StorageFixture(group, threads, directory, storage);
    }

    NettyShard shard() {
        return group.shards().getFirst();
    }

    StorageCaller caller() {
        return new StorageCaller(shard(), storage);
    }

    @Override
    public void close() {
        threads.close(Duration.ofSeconds(10));
        group.stop(Duration.ofSeconds(10));
        directory.close();
    }
}
