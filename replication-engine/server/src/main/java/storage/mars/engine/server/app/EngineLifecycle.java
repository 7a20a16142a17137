// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.app;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.port.Clock;
import storage.mars.engine.port.Entropy;
import storage.mars.engine.port.Ports;
import storage.mars.engine.server.config.EngineSettings;
import storage.mars.engine.server.io.DataDirectory;
import storage.mars.engine.server.io.FileStorage;
import storage.mars.engine.server.io.IoThreads;
import storage.mars.engine.server.io.NettyShard;
import storage.mars.engine.server.io.SecureEntropy;
import storage.mars.engine.server.io.ShardGroup;
import storage.mars.engine.server.io.SystemClock;
import storage.mars.engine.server.peer.NettyPeerNetwork;

/**
 * Starts the parts of an engine in the order in which they need each other and stops them in the
 * opposite one, each in bounded time. Called by the main thread only.
 */
final class EngineLifecycle {

    private static final Logger LOGGER = LoggerFactory.getLogger(EngineLifecycle.class);

    /** Longer than the slowest single sync that a busy disk is given; then the rest is left. */
    private static final Duration FILES_LIMIT = Duration.ofSeconds(5);

    private static final Duration SHARDS_LIMIT = Duration.ofSeconds(2);

    /** On two cores looking out costs the client as much as it saves the log: LogPathBenchmark. */
    private static final Duration LOG_SPIN = Duration.ZERO;

    /** Two busy resources of one shard do not wait for each other's device flushes. */
    private static final int LEAST_LOG_THREADS = 2;

    private final EngineSettings settings;
    private final DataDirectory directory;
    private final Deque<Part> started = new ArrayDeque<>();

    EngineLifecycle(EngineSettings settings, DataDirectory directory) {
        this.settings = settings;
        this.directory = directory;
    }

    /** Starts everything; after a failure {@link #stop} ends what had begun. */
    void start() {
        begun("data directory", this::releaseDirectory);
        ShardGroup shards = ShardGroup.start(settings.shards());
        begun("shards", () -> shards.stop(SHARDS_LIMIT));
        IoThreads threads = new IoThreads(ioThreads());
        begun("file threads", () -> threads.close(FILES_LIMIT));
        List<Ports> ports = ports(shards.shards(), threads);
        LOGGER.debug("{} shards have their ports", ports.size());
    }

    /** The planned stop. */
    void stop() {
        while (!started.isEmpty()) {
            Part part = started.removeLast();
            if (!part.stop().ended()) {
                LOGGER.warn("The {} did not end in time and are left behind", part.name());
            }
        }
    }

    private List<Ports> ports(List<NettyShard> shards, IoThreads threads) {
        Clock clock = new SystemClock();
        Entropy entropy = new SecureEntropy();
        return shards.stream()
                .map(shard ->
                        new Ports(
                                shard,
                                clock,
                                entropy,
                                new FileStorage(directory, shard, threads),
                                new NettyPeerNetwork(shard)))
                .toList();
    }

    private IoThreads.Settings ioThreads() {
        int logThreads = Math.max(LEAST_LOG_THREADS, settings.shards());
        return new IoThreads.Settings(logThreads, settings.ioThreads(), LOG_SPIN);
    }

    private boolean releaseDirectory() {
        directory.close();
        return true;
    }

    private void begun(String name, Stop stop) {
        started.addLast(new Part(name, stop));
    }

    private record Part(String name, Stop stop) {}

    /** Ends a part and says whether it has ended. */
    @FunctionalInterface
    private interface Stop {

        boolean ended();
    }
}
