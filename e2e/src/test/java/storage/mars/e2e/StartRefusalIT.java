// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import storage.mars.e2e.harness.Command;
import storage.mars.e2e.harness.EngineProcess;
import storage.mars.e2e.harness.EngineSettings;
import storage.mars.e2e.harness.Tools;
import storage.mars.e2e.harness.TreeHash;

/**
 * An engine that cannot start says why in one line, exits with an error and has changed nothing.
 */
final class StartRefusalIT {
    @TempDir Path directory;

    @Test
    void secondEngineOnTheSameDataDirectory() throws Exception {
        try (var first = EngineProcess.start(EngineSettings.in(directory, "a"))) {
            first.marsadm().createResource("r", "data:16MiB");
            first.freeze();
            Path data = first.settings().dataDir();
            String holder = Files.readString(data.resolve("engine.lock")).strip();

            refusedWithoutTrace(
                    EngineSettings.in(directory, "b").withDataDir(data),
                    "data directory "
                            + data
                            + " is in use by another engine (process "
                            + holder
                            + "): stop that engine or choose another --data-dir");
            first.thaw();
            assertThat(first.marsadm().status("r").isPrimary()).isTrue();
        }
    }

    private static int port(EngineSettings settings, String listener) {
        return switch (listener) {
            case "--nbd" -> settings.nbdPort();
            case "--peer" -> settings.peerPort();
            case "--control" -> settings.controlPort();
            case "--http" -> settings.httpPort();
            default -> throw new IllegalArgumentException(listener);
        };
    }

    @ParameterizedTest
    @ValueSource(strings = {"--nbd", "--peer", "--control", "--http"})
    void busyPort(String listener) throws Exception {
        EngineSettings settings = populated("a");
        int port = port(settings, listener);
        try (var taken = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            assertThat(taken.isBound()).isTrue();
            refusedWithoutTrace(
                    settings,
                    listener
                            + " 127.0.0.1:"
                            + port
                            + " is in use by another process: stop that process or choose another"
                            + " port");
        }
        try (var engine = EngineProcess.start(settings)) {
            assertThat(engine.marsadm().status("r").isPrimary()).isTrue();
        }
    }

    @Test
    void busyPortLeavesAnEmptyDataDirectoryEmpty() throws Exception {
        EngineSettings settings = EngineSettings.in(directory, "a");
        Files.createDirectories(settings.dataDir());
        try (var taken =
                new ServerSocket(settings.nbdPort(), 1, InetAddress.getLoopbackAddress())) {
            refusedWithoutTrace(
                    settings,
                    "--nbd 127.0.0.1:"
                            + taken.getLocalPort()
                            + " is in use by another process: stop that process or choose another"
                            + " port");
            assertThat(TreeHash.of(settings.dataDir())).hasSize(1);
        }
    }

    @Test
    void nbdThatOtherMachinesReach() throws Exception {
        EngineSettings settings = EngineSettings.in(directory, "a");
        Files.createDirectories(settings.dataDir());

        assertThat(refusal(settings, "--nbd", "0.0.0.0:" + settings.nbdPort()))
                .contains("--nbd 0.0.0.0:" + settings.nbdPort(), "--insecure-nbd");
        assertThat(TreeHash.of(settings.dataDir())).hasSize(1);
    }

    @Test
    void dataDirectoryThatIsFile() throws Exception {
        Path file = Files.writeString(directory.resolve("file"), "not a directory");

        refusedWithoutTrace(
                EngineSettings.in(directory, "a").withDataDir(file),
                "--data-dir " + file + " is not a directory: choose another one");
    }

    @Test
    void readOnlyDataDirectory() throws Exception {
        withTmpfs(
                "size=256m",
                mounted -> {
                    EngineSettings settings =
                            EngineSettings.in(directory, "a").withDataDir(mounted);
                    populate(settings);
                    Command.of("mount", "-o", "remount,ro", mounted).run().succeeded();

                    refusedWithoutTrace(
                            settings,
                            "data directory "
                                    + mounted
                                    + " is not writable (Read-only file system): give this user"
                                    + " write access or choose another --data-dir");
                });
    }

    @Test
    void fullDataDirectory() throws Exception {
        withTmpfs(
                "size=256k",
                mounted -> {
                    var fill = Command.of("dd", "if=/dev/zero", "of=" + mounted.resolve("ballast"));
                    assertThat(fill.run().err()).contains("No space left");

                    refusedWithoutTrace(
                            EngineSettings.in(directory, "a").withDataDir(mounted),
                            "data directory "
                                    + mounted
                                    + " is full: free some space there or choose another"
                                    + " --data-dir");
                });
    }

    private interface OnDirectory {
        void run(Path mounted) throws Exception;
    }

    /** Whose data directory holds a resource, and what a crash left of a creation. */
    private EngineSettings populated(String name) throws Exception {
        EngineSettings settings = EngineSettings.in(directory, name);
        populate(settings);
        Files.writeString(settings.dataDir().resolve("left~"), "of a creation");
        return settings;
    }

    private static void populate(EngineSettings settings) throws Exception {
        try (var engine = EngineProcess.start(settings)) {
            engine.marsadm().createResource("r", "data:16MiB");
            assertThat(engine.stop()).isZero();
        }
    }

    private static void refusedWithoutTrace(EngineSettings settings, String line)
            throws IOException {
        var before = TreeHash.of(settings.dataDir());

        assertThat(refusal(settings)).isEqualTo("mars-engine: " + line);
        assertThat(TreeHash.of(settings.dataDir())).isEqualTo(before);
    }

    private void withTmpfs(String options, OnDirectory body) throws Exception {
        Tools.needRoot();
        EngineProcess.program();
        Path mounted = Files.createDirectories(directory.resolve("small"));
        Command.of("mount", "-t", "tmpfs", "-o", options, "tmpfs", mounted).run().succeeded();
        try {
            body.run(mounted);
        } finally {
            Command.of("umount", mounted).run().succeeded();
        }
    }

    /** The one line that an engine with these settings ends with. */
    private static String refusal(EngineSettings settings, String... more) throws IOException {
        Path program = EngineProcess.program();
        Files.createDirectories(settings.home());
        Command.Result result =
                settings.command(program, more).within(Duration.ofSeconds(30)).run();

        assertThat(result.exitCode()).as("%s", result).isNotZero();
        List<String> lines =
                (result.out() + result.err()).lines().filter(line -> !line.isBlank()).toList();
        assertThat(lines).hasSize(1);
        return lines.getFirst();
    }
}
