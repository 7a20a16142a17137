// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import storage.mars.e2e.harness.EngineProcess;
import storage.mars.e2e.harness.EngineSettings;
import storage.mars.e2e.harness.ResourceStatus;
import storage.mars.e2e.nbd.NbdConnection;

/** Damage to what one resource has on disk is that resource's state; the other one serves. */
final class DamagedResourceIT {
    private static final int SIZE = 16 << 20;
    @TempDir Path directory;

    @Test
    void missingImage() throws Exception {
        damaged(DamagedResourceIT::isImage, Files::delete);
    }

    @Test
    void imageOfWrongSize() throws Exception {
        damaged(DamagedResourceIT::isImage, file -> truncate(file, SIZE / 2));
    }

    @Test
    void missingLog() throws Exception {
        damaged(DamagedResourceIT::isLog, Files::delete);
    }

    @Test
    void logFullOfRubbish() throws Exception {
        damaged(DamagedResourceIT::isLog, file -> overwrite(file, (byte) 0x5a));
    }

    @Test
    void metadataFullOfRubbish() throws Exception {
        damaged(DamagedResourceIT::isMetadata, file -> overwrite(file, (byte) 0x5a));
    }

    @Test
    void metadataCutShort() throws Exception {
        damaged(DamagedResourceIT::isMetadata, file -> truncate(file, 100));
    }

    private interface Damage {
        void to(Path file) throws IOException;
    }

    private void damaged(Predicate<Path> which, Damage damage) throws Exception {
        try (var engine = EngineProcess.start(EngineSettings.in(directory, "a"))) {
            Set<Path> before = files(engine);
            engine.marsadm().createResource("broken", "data:16MiB");
            write(engine, "broken");
            Set<Path> own = files(engine);
            own.removeAll(before);
            engine.marsadm().createResource("sound", "data:16MiB");
            write(engine, "sound");
            assertThat(engine.stop()).isZero();
            List<Path> victims = own.stream().filter(which).toList();
            assertThat(victims).as("among %s", own).isNotEmpty();
            for (Path victim : victims) {
                damage.to(victim);
            }

            engine.start();

            try (var sound = NbdConnection.open(engine.unix(), "sound/data")) {
                assertThat(sound.read(4096, 4096)).containsOnly(9);
            }
            await().atMost(Duration.ofSeconds(20))
                    .untilAsserted(() -> saysWhatIsWrong(engine.marsadm().status("broken")));
            assertThat(engine.stop()).isZero();
        }
    }

    private static void saysWhatIsWrong(ResourceStatus status) {
        assertThat(status.state()).isIn("Corrupt", "Failed");
        assertThat(status.conditions())
                .anySatisfy(condition -> {
                    assertThat(condition.get("reason").asText()).isNotBlank();
                    assertThat(condition.get("message").asText()).isNotBlank();
                });
    }

    private static void write(EngineProcess engine, String resource) throws IOException {
        var data = new byte[4096];
        Arrays.fill(data, (byte) 9);
        try (var connection = NbdConnection.open(engine.unix(), resource + "/data")) {
            connection.write(4096, data, true);
            connection.disconnect();
        }
    }

    private static Set<Path> files(EngineProcess engine) throws IOException {
        try (var paths = Files.walk(engine.settings().dataDir())) {
            return paths.filter(Files::isRegularFile).collect(Collectors.toSet());
        }
    }

    private static boolean isLog(Path file) {
        return file.toString().endsWith(".log");
    }

    private static boolean isImage(Path file) {
        return file.toString().endsWith(".img");
    }

    private static boolean isMetadata(Path file) {
        return file.endsWith("meta");
    }

    private static void truncate(Path file, long size) throws IOException {
        try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(size);
        }
    }

    private static void overwrite(Path file, byte with) throws IOException {
        var rubbish = new byte[1 << 16];
        Arrays.fill(rubbish, with);
        try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            long size = channel.size();
            for (long at = 0; at < size; at += rubbish.length) {
                int length = (int) Math.min(rubbish.length, size - at);
                channel.write(ByteBuffer.wrap(rubbish, 0, length), at);
            }
        }
    }
}
