// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import storage.mars.e2e.harness.NbdServer;

/** The contract's own proof: nbdkit keeps it. */
@TestInstance(Lifecycle.PER_CLASS)
final class StockServerToolsIT implements NbdToolsContract {
    private @Nullable NbdServer server;

    @BeforeAll
    void start(@TempDir Path directory) throws Exception {
        server = NbdServer.nbdkit(directory, SIZE);
    }

    @AfterAll
    void stop() throws Exception {
        if (server != null) {
            server.close();
        }
    }

    @Override
    public List<String> uris() {
        return List.of(Objects.requireNonNull(server).address().uri(""));
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
