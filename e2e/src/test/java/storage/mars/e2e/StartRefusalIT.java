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
            var before = TreeHash.of(first.settings().dataDir());
            var second = EngineSettings.in(directory, "b");

            String line = refusal(second.withDataDir(first.settings().dataDir()));

            assertThat(line).contains(first.settings().dataDir().toString());
            assertThat(TreeHash.of(first.settings().dataDir())).isEqualTo(before);
            first.thaw();
            assertThat(first.marsadm().status("r").isPrimary()).isTrue();
        }
    }

    @Test
    void busyControlPort() throws Exception {
        try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            EngineSettings settings =
                    EngineSettings.in(directory, "a").withControlPort(taken.getLocalPort());
            Files.createDirectories(settings.dataDir());

            assertThat(refusal(settings)).contains(Integer.toString(taken.getLocalPort()));
            assertThat(TreeHash.of(settings.dataDir())).hasSize(1);
        }
    }

    @Test
    void busyNbdPort() throws Exception {
        EngineSettings settings = EngineSettings.in(directory, "a");
        try (var taken =
                new ServerSocket(settings.nbdPort(), 1, InetAddress.getLoopbackAddress())) {
            Files.createDirectories(settings.dataDir());

            assertThat(refusal(settings)).contains(Integer.toString(taken.getLocalPort()));
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
        EngineSettings settings = EngineSettings.in(directory, "a").withDataDir(file);

        assertThat(refusal(settings)).contains(file.toString());
        assertThat(Files.readString(file)).isEqualTo("not a directory");
    }

    @Test
    void readOnlyDataDirectory() throws Exception {
        withTmpfs("ro,size=1m", mounted -> refusedWithoutTrace(mounted));
    }

    @Test
    void fullDataDirectory() throws Exception {
        withTmpfs(
                "size=256k",
                mounted -> {
                    var fill = Command.of("dd", "if=/dev/zero", "of=" + mounted.resolve("ballast"));
                    assertThat(fill.run().err()).contains("No space left");
                    refusedWithoutTrace(mounted);
                });
    }

    private interface OnDirectory {
        void run(Path mounted) throws IOException;
    }

    private void refusedWithoutTrace(Path dataDir) throws IOException {
        var before = TreeHash.of(dataDir);

        String line = refusal(EngineSettings.in(directory, "a").withDataDir(dataDir));

        assertThat(line).contains(dataDir.toString());
        assertThat(TreeHash.of(dataDir)).isEqualTo(before);
    }

    private void withTmpfs(String options, OnDirectory body) throws IOException {
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
