// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e.harness;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import storage.mars.e2e.nbd.NbdAddress;

/** One engine process: started, killed, stopped, continued and started again on the same data. */
public final class EngineProcess implements AutoCloseable {
    private static final Duration START_LIMIT = Duration.ofSeconds(60);
    private static final Duration STOP_LIMIT = Duration.ofSeconds(30);
    private static final int REPORTED_LINES = 40;
    private final EngineSettings settings;
    private @Nullable Process process;

    private EngineProcess(EngineSettings settings) {
        this.settings = settings;
    }

    /** The program; the test fails where the engine has not been built. */
    public static Path program() {
        return Program.PATH;
    }

    /** Looked for once. */
    private static final class Program {
        private static final Path PATH = find();

        private static Path find() {
            Path root = Tools.projectRoot();
            Path jar = root.resolve("replication-engine/server/target/quarkus-app/quarkus-run.jar");
            if (!Files.exists(jar)) {
                throw new AssertionError("the engine is not built (make build): no " + jar);
            }
            Command.of(root.resolve("build/start-cache"))
                    .within(Duration.ofMinutes(3))
                    .run()
                    .succeeded();
            return root.resolve("bin/mars-engine");
        }
    }

    public static EngineProcess start(EngineSettings settings) throws IOException {
        program();
        Files.createDirectories(settings.home());
        Files.createDirectories(settings.dataDir());
        var engine = new EngineProcess(settings);
        engine.start();
        return engine;
    }

    /** Starts it again on the same data and waits until it answers. */
    public void start() throws IOException {
        launch();
        awaitReady();
    }

    /** Starts it and does not wait. */
    public void launch() throws IOException {
        var words = new ArrayList<String>();
        words.add(program().toString());
        words.addAll(settings.arguments());
        process =
                new ProcessBuilder(words)
                        .redirectInput(Path.of("/dev/null").toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(Redirect.appendTo(log().toFile()))
                        .start();
    }

    public void awaitReady() {
        await("engine " + settings.name())
                .atMost(START_LIMIT)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> {
                    if (!running().isAlive()) {
                        throw new AssertionError("it ended:\n" + lastLines());
                    }
                    return Ports.accepts(settings.controlPort())
                            && Ports.accepts(settings.nbdPort());
                });
    }

    /** SIGKILL; returns when the process is gone. */
    public void kill() {
        Process victim = running();
        List<ProcessHandle> all = new ArrayList<>(victim.descendants().toList());
        all.add(victim.toHandle());
        all.forEach(ProcessHandle::destroyForcibly);
        await().atMost(STOP_LIMIT)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(5))
                .until(() -> all.stream().noneMatch(ProcessHandle::isAlive));
    }

    /** SIGTERM; returns the exit code. */
    public int stop() throws InterruptedException {
        running().destroy();
        if (!running().waitFor(STOP_LIMIT.toMillis(), MILLISECONDS)) {
            throw new AssertionError("SIGTERM did not end it:\n" + lastLines());
        }
        return running().exitValue();
    }

    /** SIGSTOP: it holds its sockets and does nothing. */
    public void freeze() {
        signal("STOP");
    }

    /** SIGCONT. */
    public void thaw() {
        signal("CONT");
    }

    public boolean isAlive() {
        return process != null && process.isAlive();
    }

    public EngineSettings settings() {
        return settings;
    }

    public Marsadm marsadm() {
        return new Marsadm(settings.control());
    }

    public NbdAddress unix() {
        return new NbdAddress.Unix(settings.socket());
    }

    public NbdAddress tcp() {
        return new NbdAddress.Tcp("127.0.0.1", settings.nbdPort());
    }

    public Path log() {
        return settings.home().resolve("engine.log");
    }

    public long pid() {
        return running().pid();
    }

    /** Resident memory in bytes. */
    public long residentBytes() throws IOException {
        Path status = Path.of("/proc", Long.toString(running().pid()), "status");
        try (var lines = Files.lines(status)) {
            return lines.filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024)
                    .findFirst()
                    .orElseThrow();
        }
    }

    /** The body of a GET on the operations port. */
    public String http(String path) throws IOException, InterruptedException {
        try (var client = HttpClient.newHttpClient()) {
            var uri = URI.create("http://127.0.0.1:" + settings.httpPort() + path);
            var request = HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(10)).build();
            return client.send(request, BodyHandlers.ofString()).body();
        }
    }

    public String lastLines() {
        try {
            List<String> lines = List.of(new String(Files.readAllBytes(log()), UTF_8).split("\n"));
            int from = Math.max(0, lines.size() - REPORTED_LINES);
            return settings.name() + ": " + String.join("\n", lines.subList(from, lines.size()));
        } catch (IOException e) {
            return settings.name() + " left no log: " + e.getMessage();
        }
    }

    @Override
    public void close() {
        if (isAlive()) {
            thaw();
            kill();
        }
        keepLog();
    }

    /** Temporary directories go with the test; what the engine said stays. */
    private void keepLog() {
        Path kept = Path.of("target", "engine-logs");
        try {
            Files.createDirectories(kept);
            String name = settings.home().subpath(1, settings.home().getNameCount()).toString();
            Path copy = kept.resolve(name.replace('/', '-') + ".log");
            Files.copy(log(), copy, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void signal(String name) {
        Command.of("kill", "-" + name, running().pid()).run().succeeded();
    }

    private Process running() {
        if (process == null) {
            throw new IllegalStateException("not started");
        }
        return process;
    }
}
