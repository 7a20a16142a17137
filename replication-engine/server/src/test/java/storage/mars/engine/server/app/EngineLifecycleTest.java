// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import storage.mars.engine.server.config.CommandLineOutcome;
import storage.mars.engine.server.config.EngineCommandLine;
import storage.mars.engine.server.config.EngineSettings;
import storage.mars.engine.server.io.DataDirectory;

/** What an engine starts it also ends. */
class EngineLifecycleTest {

    @TempDir Path root;

    @Test
    void stopEndsEveryThreadAndReleasesTheDirectory() throws Exception {
        EngineLifecycle lifecycle =
                new EngineLifecycle(settings(), DataDirectory.open(root.resolve("data")));

        lifecycle.start();
        assertThat(threads()).contains("mars-log-0", "mars-log-1", "mars-io-0", "mars-file-0");
        lifecycle.stop();

        assertThat(threads()).isEmpty();
        DataDirectory.open(root.resolve("data")).close();
    }

    private EngineSettings settings() {
        CommandLineOutcome outcome =
                EngineCommandLine.parse(
                        "--name=a",
                        "--data-dir=" + root.resolve("data"),
                        "--nbd=unix:" + root.resolve("a.sock"),
                        "--peer=127.0.0.1:1",
                        "--control=127.0.0.1:2",
                        "--http=127.0.0.1:3",
                        "--shards=2");
        return ((CommandLineOutcome.Run) outcome).settings();
    }

    private static Set<String> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.startsWith("mars-"))
                .collect(Collectors.toSet());
    }
}
