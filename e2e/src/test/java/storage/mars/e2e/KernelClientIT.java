// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import storage.mars.e2e.harness.Command;
import storage.mars.e2e.harness.EngineProcess;
import storage.mars.e2e.harness.Tools;

/**
 * The kernel's own NBD client in a user-mode Linux guest: a file system on /dev/nbd0 while the
 * server is killed and restarted under fsynced writes. See e2e/guest/run.sh.
 */
@Timeout(value = 6, unit = TimeUnit.MINUTES)
final class KernelClientIT {
    private static final String CONTROL = "127.0.0.1:7201";
    private static final Duration LIMIT = Duration.ofMinutes(5);
    @TempDir Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"ext4", "xfs"})
    void fileSystemSurvivesKilledEnginesWithoutAnError(String fileSystem) {
        Path root = Tools.projectRoot();
        String server =
                EngineProcess.program()
                        + " --name a --data-dir $STATE --nbd $ADDRESS --insecure-nbd"
                        + " --peer 127.0.0.1:7101"
                        + " --control "
                        + CONTROL
                        + " --http 127.0.0.1:7301";
        String prepare =
                root.resolve("bin/marsadm")
                        + " --engine "
                        + CONTROL
                        + " create-resource r --volume data:512MiB";
        var words = new ArrayList<Object>(List.of("--fs", fileSystem, "--connections", 2));
        words.addAll(List.of("--export", "r/data", "--server", server, "--prepare", prepare));

        assertThat(guest(words)).endsWith("PASS");
    }

    @Test
    void rigPassesWithStockServer() {
        assertThat(guest(List.of("--rounds", 1))).endsWith("PASS");
    }

    private String guest(List<Object> options) {
        Tools.needRoot();
        Tools.need("linux.uml", "ip", "unshare", "mkfs.ext4", "mkfs.xfs", "nbdkit", "python3");
        assumeTrue(Path.of("/dev/net/tun").toFile().canWrite(), "needs /dev/net/tun");
        var words = new ArrayList<Object>();
        words.add(Tools.projectRoot().resolve("e2e/guest/run.sh"));
        words.addAll(List.of("--out", directory));
        words.addAll(options);
        Command.Result result = Command.of(words.toArray()).within(LIMIT).run();
        return result.succeeded()
                .out()
                .lines()
                .filter(line -> line.equals("PASS"))
                .findFirst()
                .orElse(result.toString());
    }
}
