// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import storage.mars.engine.server.config.CommandLineOutcome;
import storage.mars.engine.server.config.EngineCommandLine;
import storage.mars.engine.server.config.EngineSettings;
import storage.mars.engine.server.io.DataDirectory;
import storage.mars.engine.server.io.DirectoryLock;

/** What an engine starts it also ends. */
class EngineLifecycleTest {

    @TempDir Path root;

    @Test
    void stopEndsEveryThreadAndReleasesTheDirectory() throws Exception {
        EngineLifecycle lifecycle =
                new EngineLifecycle(
                        settings(), DataDirectory.open(DirectoryLock.take(root.resolve("data"))));

        lifecycle.start();
        assertThat(threads()).contains("mars-log-0", "mars-log-1", "mars-io-0", "mars-file-0");
        lifecycle.stop();

        // A loop is over when its thread has nothing more to do; the thread ends a moment later.
        await().untilAsserted(() -> assertThat(threads()).isEmpty());
        DataDirectory.open(DirectoryLock.take(root.resolve("data"))).close();
    }

    private EngineSettings settings() throws IOException {
        CommandLineOutcome outcome =
                EngineCommandLine.parse(
                        "--name=a",
                        "--data-dir=" + root.resolve("data"),
                        "--nbd=unix:" + root.resolve("a.sock"),
                        "--peer=127.0.0.1:" + FreePorts.next(),
                        "--control=127.0.0.1:" + FreePorts.next(),
                        "--http=127.0.0.1:" + FreePorts.next(),
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
