// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.app;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.export.ExportRegistry;
import storage.mars.engine.port.Clock;
import storage.mars.engine.port.Entropy;
import storage.mars.engine.port.Ports;
import storage.mars.engine.replica.ReplicaSettings;
import storage.mars.engine.server.config.EngineSettings;
import storage.mars.engine.server.config.HostPort;
import storage.mars.engine.server.config.NbdAddress;
import storage.mars.engine.server.control.ControlServer;
import storage.mars.engine.server.host.Replicas;
import storage.mars.engine.server.io.BootId;
import storage.mars.engine.server.io.DataDirectory;
import storage.mars.engine.server.io.FileStorage;
import storage.mars.engine.server.io.IoThreads;
import storage.mars.engine.server.io.NettyShard;
import storage.mars.engine.server.io.SecureEntropy;
import storage.mars.engine.server.io.ShardGroup;
import storage.mars.engine.server.io.SystemClock;
import storage.mars.engine.server.io.ThreadOffload;
import storage.mars.engine.server.io.UnusableDirectoryException;
import storage.mars.engine.server.nbd.ExportManners;
import storage.mars.engine.server.nbd.NbdLimits;
import storage.mars.engine.server.nbd.NbdServer;
import storage.mars.engine.server.observe.ObservedEngine;
import storage.mars.engine.server.observe.ShardAllocation;
import storage.mars.engine.server.peer.NettyPeerNetwork;
import storage.mars.engine.server.peer.PeerServer;

/**
 * Starts the parts of an engine in the order in which they need each other and stops them in the
 * opposite one, each in bounded time. Called by the main thread only.
 */
final class EngineLifecycle {

    private static final Logger LOGGER = LoggerFactory.getLogger(EngineLifecycle.class);

    /** Longer than the slowest single sync that a busy disk is given; then the rest is left. */
    private static final Duration FILES_LIMIT = Duration.ofSeconds(5);

    private static final Duration SHARDS_LIMIT = Duration.ofSeconds(2);
    private static final Duration SECOND = Duration.ofSeconds(1);

    /** Watches never end by themselves. */
    private static final Duration CALLS_LIMIT = Duration.ofMillis(300);

    /** What was read is answered within this, or its clients send it again to the next engine. */
    private static final Duration CLIENTS_LIMIT = Duration.ofSeconds(3);

    private static final Duration REPLICAS_LIMIT = Duration.ofSeconds(10);

    /** On two cores looking out costs the client as much as it saves the log: LogPathBenchmark. */
    private static final Duration LOG_SPIN = Duration.ZERO;

    /** Two busy resources of one shard do not wait for each other's device flushes. */
    private static final int LEAST_LOG_THREADS = 2;

    private final EngineSettings settings;
    private final DataDirectory directory;
    private final StartedParts started = new StartedParts();

    EngineLifecycle(EngineSettings settings, DataDirectory directory) {
        this.settings = settings;
        this.directory = directory;
    }

    /**
     * Starts everything, the control API last, which so answers only when all resources are loaded;
     * after a failure {@link #stop} ends what had begun.
     */
    ObservedEngine start() throws StartRefusedException {
        started.onlyWhenTheRestHasEnded("the lock on the data directory", this::releaseDirectory);
        String id = engineId();
        ShardGroup shards = ShardGroup.start(settings.shards());
        started.begun("shards", () -> shards.stop(SHARDS_LIMIT));
        IoThreads threads = new IoThreads(ioThreads());
        started.begun("file threads", () -> threads.close(FILES_LIMIT));
        ExportRegistry exports = new ExportRegistry();
        Replicas replicas = open(ports(shards.shards(), threads), exports);
        try {
            return listen(id, shards, exports, replicas);
        } catch (IOException e) {
            throw new StartRefusedException(words(e));
        }
    }

    private String engineId() throws StartRefusedException {
        try {
            return directory.engineId();
        } catch (UnusableDirectoryException e) {
            throw new StartRefusedException(words(e));
        }
    }

    private Replicas open(List<Ports> ports, ExportRegistry exports) throws StartRefusedException {
        ReplicaSettings rules = ReplicaRules.of(settings, BootId.read());
        Replicas replicas = new Replicas(ports, rules, exports, settings.logMemory());
        started.begun("replicas", () -> ended(replicas.close(), REPLICAS_LIMIT));
        try {
            replicas.openAll().join();
        } catch (CompletionException e) {
            throw new StartRefusedException(words(e));
        }
        return replicas;
    }

    private ObservedEngine listen(
            String id, ShardGroup shards, ExportRegistry exports, Replicas replicas)
            throws IOException {
        PeerServer peers =
                PeerServer.start(
                        socket(settings.peer()), shards, replicas, PeerServer.Limits.standard());
        started.begun(
                "peer listener",
                () -> {
                    peers.stop();
                    return true;
                });
        NbdServer nbd =
                new NbdServer(
                        exports,
                        shards.eventLoops(),
                        shard -> ((NettyShard) shard).eventLoop(),
                        NbdLimits.defaults(),
                        new ExportManners(settings.nbd().listed(), settings.nbd().rotational()));
        started.begun(
                "NBD clients", () -> ended(nbd.stop(CLIENTS_LIMIT), CLIENTS_LIMIT.plus(SECOND)));
        for (NbdAddress address : settings.nbd().addresses()) {
            switch (address) {
                case NbdAddress.Unix unix -> nbd.listen(unix.path());
                case NbdAddress.Tcp tcp -> warnWhereInsecure(nbd.listen(socket(tcp.address())));
            }
        }
        ControlServer control = ControlServer.start(settings, id, replicas);
        started.begun("control calls", () -> control.stop(CALLS_LIMIT));
        return new ObservedEngine(
                replicas, nbd::connections, new ShardAllocation(shards.threadIds())::bytes);
    }

    private static void warnWhereInsecure(InetSocketAddress address) {
        if (!address.getAddress().isLoopbackAddress()) {
            LOGGER.warn(
                    "NBD at {} is plain text without authentication: whoever reaches it reads and"
                            + " writes every volume",
                    address);
        }
    }

    private static InetSocketAddress socket(HostPort address) {
        return new InetSocketAddress(address.host(), address.port());
    }

    /** What went wrong, without the layers that passed it on. */
    private static String words(Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return failure instanceof IOException && failure.getCause() != null
                ? failure.getMessage() + ": " + cause.getMessage()
                : String.valueOf(cause.getMessage());
    }

    private static boolean ended(CompletableFuture<?> end, Duration limit) {
        return end.handle((done, failure) -> failure == null)
                .completeOnTimeout(false, limit.toMillis(), TimeUnit.MILLISECONDS)
                .join();
    }

    /** The planned stop. */
    void stop() {
        started.stop();
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
                                new NettyPeerNetwork(shard),
                                new ThreadOffload(shard, threads)))
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
}
