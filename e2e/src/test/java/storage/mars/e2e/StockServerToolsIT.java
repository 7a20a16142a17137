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
import storage.mars.e2e.harness.NbdServer;

/** The contract's own proof: nbdkit keeps it. */
@TestInstance(Lifecycle.PER_CLASS)
final class StockServerToolsIT implements NbdToolsContract {
    private @Nullable Path directory;
    private @Nullable NbdServer server;

    @BeforeAll
    void keepDirectory(@TempDir Path shared) {
        directory = shared;
    }

    /** Not before all tests, so that each of them is named when nbdkit is missing. */
    @BeforeEach
    void startOnce() throws Exception {
        if (server == null) {
            server = NbdServer.nbdkit(requireNonNull(directory), SIZE);
        }
    }

    @AfterAll
    void stop() throws Exception {
        if (server != null) {
            server.close();
        }
    }

    @Override
    public List<String> uris() {
        return List.of(requireNonNull(server).address().uri(""));
    }

    @Override
    public List<String> capabilities() {
        return List.of(
                "connect",
                "read",
                "write",
                "flush",
                "fua",
                "zero",
                "trim",
                "multi-conn",
                "structured-reply");
    }
}
