// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import storage.mars.e2e.harness.Command;
import storage.mars.e2e.harness.Tools;

/** What {@code make demo} runs, as it is shown to a newcomer: to its end, and without a trace. */
final class DemoIT {
    private static final Duration LIMIT = Duration.ofMinutes(4);
    private static final List<String> CHAPTERS =
            List.of(
                    "Two engines, one resource",
                    "Files are written on a; b follows",
                    "killed in the middle (SIGKILL)",
                    "What a forced promotion of b would lose",
                    "b takes over by force",
                    "The file system on b",
                    "is fenced and says so",
                    "a gives its branch up",
                    "a takes the role back by plan",
                    "nothing is left behind");

    @TempDir Path scratch;

    @Test
    void withAMountedFileSystem() throws Exception {
        Tools.needMounts();
        Tools.need("nbdfuse");

        String told = demo("mounted");

        assertThat(told).contains("files synced");
        assertThat(Files.readString(Path.of("/proc/mounts"))).doesNotContain(scratch.toString());
    }

    @Test
    void withoutRoot() throws Exception {
        Tools.need("nbdcopy", "debugfs", "e2fsck");

        assertThat(demo("plain")).contains("byte for byte");
    }

    private String demo(String mode) throws IOException {
        Command.Result result =
                Command.of(Tools.projectRoot().resolve("e2e/demo/demo.sh"))
                        .with("MARS_DEMO_MODE", mode)
                        .with("TMPDIR", scratch.toString())
                        .within(LIMIT)
                        .run()
                        .succeeded();
        assertThat(result.out()).containsSubsequence(CHAPTERS);
        assertThat(result.err()).isEmpty();
        try (Stream<Path> left = Files.list(scratch)) {
            assertThat(left).isEmpty();
        }
        assertThat(
                        ProcessHandle.allProcesses()
                                .flatMap(process -> process.info().commandLine().stream())
                                .filter(line -> line.contains(scratch.toString())))
                .isEmpty();
        return result.out();
    }
}
