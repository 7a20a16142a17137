// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import storage.mars.e2e.harness.EngineProcess;
import storage.mars.e2e.harness.EngineSettings;

/** The usual NBD clients on an engine's export, over TCP and over its Unix socket. */
@TestInstance(Lifecycle.PER_CLASS)
final class EngineToolsIT implements NbdToolsContract {
    private @Nullable Path directory;
    private @Nullable EngineProcess engine;

    @BeforeAll
    void keepDirectory(@TempDir Path shared) {
        directory = shared;
    }

    /** Not before all tests, so that each of them is named when the engine is missing. */
    @BeforeEach
    void startOnce() throws Exception {
        if (engine == null) {
            engine = EngineProcess.start(EngineSettings.in(requireNonNull(directory), "a"));
            engine.marsadm().createResource("r", "data:64MiB");
        }
    }

    @AfterAll
    void stop() {
        if (engine != null) {
            engine.close();
        }
    }

    @Override
    public List<String> uris() {
        return List.of(
                requireNonNull(engine).unix().uri("r/data"),
                requireNonNull(engine).tcp().uri("r/data"));
    }
}
