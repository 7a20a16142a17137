// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.app;

import static org.awaitility.Awaitility.await;

import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.api.v1.CreateReplicaRequest;
import storage.mars.engine.api.v1.EngineControlGrpc;
import storage.mars.engine.api.v1.EngineControlGrpc.EngineControlBlockingStub;
import storage.mars.engine.api.v1.GetReplicaRequest;
import storage.mars.engine.api.v1.JoinReplicaRequest;
import storage.mars.engine.api.v1.NewVolume;
import storage.mars.engine.api.v1.PromoteRequest;
import storage.mars.engine.api.v1.Replica;
import storage.mars.engine.server.config.CommandLineOutcome;
import storage.mars.engine.server.config.EngineCommandLine;
import storage.mars.engine.server.config.EngineSettings;
import storage.mars.engine.server.config.HostPort;
import storage.mars.engine.server.config.NbdAddress;
import storage.mars.engine.server.io.DataDirectory;
import storage.mars.engine.server.io.DirectoryLock;
import storage.mars.engine.server.observe.ObservedEngine;

/** A whole engine within the test's JVM, with a caller of its control API. */
public final class TestEngine implements AutoCloseable {

    public static final long VOLUME = 8 << 20;

    private final EngineSettings settings;
    private final Path socket;
    private @Nullable EngineLifecycle lifecycle;
    private @Nullable ObservedEngine observed;
    private @Nullable ManagedChannel channel;

    private TestEngine(EngineSettings settings, Path socket) {
        this.settings = settings;
        this.socket = socket;
    }

    /** One that is served at a Unix socket. */
    public static TestEngine start(Path root, String name) throws Exception {
        return start(root, name, new String[0]);
    }

    /** One that is served at loopback as well. */
    public static TestEngine startWithTcp(Path root, String name) throws Exception {
        return start(root, name, "--nbd=127.0.0.1:" + FreePorts.next());
    }

    private static TestEngine start(Path root, String name, String... more) throws Exception {
        Path home = Files.createDirectories(root.resolve(name));
        Path socket = home.resolve("nbd.sock");
        List<String> arguments =
                new ArrayList<>(
                        List.of(
                                "--name=" + name,
                                "--data-dir=" + home.resolve("data"),
                                "--nbd=unix:" + socket,
                                "--peer=127.0.0.1:" + FreePorts.next(),
                                "--control=127.0.0.1:" + FreePorts.next(),
                                "--http=127.0.0.1:" + FreePorts.next(),
                                "--segment-size=2MiB",
                                "--log-memory=16MiB",
                                "--shards=2"));
        arguments.addAll(List.of(more));
        TestEngine engine = new TestEngine(settings(arguments), socket);
        engine.start();
        return engine;
    }

    private static EngineSettings settings(List<String> arguments) {
        CommandLineOutcome outcome = EngineCommandLine.parse(arguments.toArray(String[]::new));
        return ((CommandLineOutcome.Run) outcome).settings();
    }

    public void start() throws Exception {
        EngineLifecycle starting =
                new EngineLifecycle(
                        settings, DataDirectory.open(DirectoryLock.take(settings.dataDirectory())));
        lifecycle = starting;
        observed = starting.start();
        channel =
                NettyChannelBuilder.forAddress("127.0.0.1", settings.control().port())
                        .usePlaintext()
                        .build();
    }

    /** The planned stop. */
    public void stop() {
        ManagedChannel calls = channel;
        channel = null;
        if (calls != null) {
            calls.shutdownNow();
        }
        EngineLifecycle running = lifecycle;
        lifecycle = null;
        if (running != null) {
            running.stop();
        }
    }

    ObservedEngine observed() {
        return require(observed);
    }

    EngineControlBlockingStub control() {
        return EngineControlGrpc.newBlockingStub(require(channel))
                .withDeadlineAfter(30, TimeUnit.SECONDS);
    }

    private static <T> T require(@Nullable T value) {
        if (value == null) {
            throw new IllegalStateException("the engine does not run");
        }
        return value;
    }

    public Replica create(String resource) {
        NewVolume data = NewVolume.newBuilder().setName("data").setSizeBytes(VOLUME).build();
        return control()
                .createReplica(
                        CreateReplicaRequest.newBuilder()
                                .setName(resource)
                                .addVolumes(data)
                                .build());
    }

    public Replica join(String resource, TestEngine from) {
        return control()
                .joinReplica(
                        JoinReplicaRequest.newBuilder()
                                .setName(resource)
                                .setFrom(from.settings.peer().toString())
                                .build());
    }

    public Replica get(String resource) {
        return control().getReplica(GetReplicaRequest.newBuilder().setName(resource).build());
    }

    public void awaitServing(String resource) {
        await().atMost(Duration.ofSeconds(20))
                .until(() -> get(resource).getState().equals("Serving"));
    }

    /** Until the replica here is whole and has applied what is durable at its primary. */
    public void awaitCaughtUp(String resource, TestEngine primary) {
        await().atMost(Duration.ofSeconds(30))
                .until(() -> {
                    Replica replica = get(resource);
                    return replica.getConsistent()
                            && replica.getPositions().getApplied()
                                    >= primary.get(resource).getPositions().getDurable();
                });
    }

    public Replica promoteByForce(String resource, long supersedes) {
        return control()
                .promote(
                        PromoteRequest.newBuilder()
                                .setName(resource)
                                .setForce(true)
                                .setSupersedesTerm(supersedes)
                                .build());
    }

    public Path socket() {
        return socket;
    }

    /** Of {@link #startWithTcp}. */
    public InetSocketAddress tcp() {
        for (NbdAddress address : settings.nbd().addresses()) {
            if (address instanceof NbdAddress.Tcp(HostPort tcp)) {
                return new InetSocketAddress(tcp.host(), tcp.port());
            }
        }
        throw new IllegalStateException("not served by TCP");
    }

    ExportClient open(String export) throws IOException {
        return ExportClient.open(socket, export);
    }

    @Override
    public void close() {
        stop();
    }
}
