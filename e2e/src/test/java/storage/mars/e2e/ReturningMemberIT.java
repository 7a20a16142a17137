// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import storage.mars.e2e.harness.Command;
import storage.mars.e2e.harness.EngineProcess;
import storage.mars.e2e.harness.Tools;
import storage.mars.e2e.harness.TwoEngines;

/** A member that was away for longer than the log is kept comes back without being copied whole. */
final class ReturningMemberIT {
    private static final int VOLUME = 192 << 20;
    private static final int BLOCK = 4096;
    private static final int ROUNDS = 6;
    private static final int CHANGES_PER_ROUND = 100;
    @TempDir Path directory;
    private final SplittableRandom random = new SplittableRandom(11);

    @Test
    void onlyWhatDiffersIsSentToWhoComesBack() throws Exception {
        Tools.need("nbdcopy");
        Path image = directory.resolve("image");
        byte[] content = new byte[VOLUME];
        random.nextBytes(content);
        Files.write(image, content);
        try (var engines = TwoEngines.start(directory)) {
            engines.a()
                    .marsadm()
                    .run(
                            "create-resource",
                            "r",
                            "--volume",
                            "data:192MiB",
                            "--log-budget",
                            "256MiB")
                    .succeeded();
            copy(image, engines.a());
            engines.join("r", engines.b(), engines.a());
            engines.b().freeze();
            for (int i = 0; i < ROUNDS && !isDetached(engines); i++) {
                change(image);
                copy(image, engines.a());
            }
            assertThat(isDetached(engines)).isTrue();
            long before = engines.relayedBytes();

            engines.b().thaw();
            engines.b().marsadm().waitFor("r", "caught-up");

            assertThat(engines.b().marsadm().status("r").consistent()).isTrue();
            assertThat(isDetached(engines)).isFalse();
            Path back = directory.resolve("back");
            Command.of("nbdcopy", uri(engines.b()), back).run().succeeded();
            assertThat(Files.mismatch(image, back)).isEqualTo(-1);
            assertThat(engines.relayedBytes() - before)
                    .as("of %d bytes with at most %d changed blocks", VOLUME, changes())
                    .isLessThan(VOLUME / 8);
        }
    }

    private static int changes() {
        return ROUNDS * CHANGES_PER_ROUND;
    }

    private static boolean isDetached(TwoEngines engines) {
        return engines.a()
                .marsadm()
                .status("r")
                .member("b")
                .map(member -> member.get("detached").asBoolean())
                .orElseThrow();
    }

    /** Other content in some blocks of the image. */
    private void change(Path image) throws IOException {
        byte[] block = new byte[BLOCK];
        try (var file = new RandomAccessFile(image.toFile(), "rw")) {
            for (int i = 0; i < CHANGES_PER_ROUND; i++) {
                random.nextBytes(block);
                file.seek((long) random.nextInt(VOLUME / BLOCK) * BLOCK);
                file.write(block);
            }
        }
    }

    private static void copy(Path image, EngineProcess engine) {
        Command.of("nbdcopy", "--flush", image, uri(engine)).run().succeeded();
    }

    private static String uri(EngineProcess engine) {
        return "nbd+unix:///r/data?socket=" + engine.settings().socket();
    }
}
