// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import storage.mars.e2e.harness.EngineProcess;
import storage.mars.e2e.harness.EngineSettings;
import storage.mars.e2e.harness.ResourceStatus;
import storage.mars.e2e.harness.TreeHash;
import storage.mars.e2e.nbd.NbdConnection;
import storage.mars.e2e.nbd.NbdRefusedException;

/** Damage to what one resource has on disk is that resource's state; the other one serves. */
final class DamagedResourceIT {
    private static final int SIZE = 16 << 20;
    private static final int METADATA_SLOT = 64 << 10;
    @TempDir Path directory;

    @Test
    void missingImage() throws Exception {
        damaged(DamagedResourceIT::isImage, Files::delete);
    }

    @Test
    void imageOfWrongSize() throws Exception {
        damaged(DamagedResourceIT::isImage, file -> truncate(file, SIZE / 2));
    }

    /** A later frame proves that the damaged one had been durable: it is no torn tail. */
    @Test
    void damagedFrameInTheMiddleOfTheLog() throws Exception {
        try (var engine = EngineProcess.start(EngineSettings.in(directory, "a"))) {
            engine.marsadm().createResource("sound", "data:16MiB");
            write(engine, "sound");
            Set<Path> others = files(engine);
            engine.marsadm().createResource("broken", "data:16MiB");
            long from = engine.marsadm().status("broken").durable();
            for (int i = 0; i < 16; i++) {
                write(engine, "broken");
            }
            engine.kill();
            Path first = filesOf("broken", engine, others, DamagedResourceIT::isLog).getFirst();
            try (var channel = FileChannel.open(first, StandardOpenOption.WRITE)) {
                channel.write(ByteBuffer.allocate(4096), from);
            }

            engine.start();

            othersServeAndItSaysWhy(engine, "was durable");
        }
    }

    /** After a planned stop the images have everything: what is gone is not needed. */
    @Test
    void missingLogThatIsNotNeeded() throws Exception {
        unneeded(Files::delete);
    }

    @Test
    void logFullOfRubbishThatIsNotNeeded() throws Exception {
        unneeded(file -> overwrite(file, (byte) 0x5a));
    }

    /** Without a planned stop the log is needed, though the images have all of it. */
    @Test
    void missingLogOfAnIdleResourceAfterAKill() throws Exception {
        try (var engine = EngineProcess.start(EngineSettings.in(directory, "a"))) {
            engine.marsadm().createResource("sound", "data:16MiB");
            write(engine, "sound");
            Set<Path> others = files(engine);
            engine.marsadm().createResource("broken", "data:16MiB");
            write(engine, "broken");
            await().atMost(Duration.ofSeconds(60))
                    .pollInterval(Duration.ofMillis(200))
                    .until(() -> {
                        var status = engine.marsadm().status("broken");
                        return status.checkpoint() == status.durable();
                    });
            engine.kill();
            for (Path victim : filesOf("broken", engine, others, DamagedResourceIT::isLog)) {
                Files.delete(victim);
            }

            engine.start();

            othersServeAndItSaysWhy(engine, "the checkpoint points into is missing");
        }
    }

    @Test
    void metadataFullOfRubbish() throws Exception {
        damaged(DamagedResourceIT::isMetadata, file -> overwrite(file, (byte) 0x5a));
    }

    @Test
    void metadataCutShort() throws Exception {
        damaged(DamagedResourceIT::isMetadata, file -> truncate(file, 100));
    }

    @Test
    void metadataOfLaterVersion() throws Exception {
        damaged(
                DamagedResourceIT::isMetadata,
                DamagedResourceIT::makeNewer,
                "later engine wrote: use that engine");
    }

    @Test
    void imageOfAnotherReplica() throws Exception {
        damaged(DamagedResourceIT::isImage, DamagedResourceIT::makeForeign);
    }

    @Test
    void imageThatCannotBeRead() throws Exception {
        damaged(
                DamagedResourceIT::isImage,
                file -> {
                    Files.delete(file);
                    Files.createDirectory(file);
                });
    }

    private interface Damage {
        void to(Path file) throws IOException;
    }

    private void damaged(Predicate<Path> which, Damage damage) throws Exception {
        damaged(which, damage, "");
    }

    private void damaged(Predicate<Path> which, Damage damage, String explained) throws Exception {
        try (var engine = EngineProcess.start(EngineSettings.in(directory, "a"))) {
            List<Path> victims = stoppedWith(engine, which);
            for (Path victim : victims) {
                damage.to(victim);
            }
            Map<Path, String> left = describe(victims);

            engine.start();

            othersServeAndItSaysWhy(engine, explained);
            assertThat(engine.stop()).isZero();
            assertThat(describe(victims)).as("nothing is changed").isEqualTo(left);
        }
    }

    private void unneeded(Damage damage) throws Exception {
        try (var engine = EngineProcess.start(EngineSettings.in(directory, "a"))) {
            for (Path victim : stoppedWith(engine, DamagedResourceIT::isLog)) {
                damage.to(victim);
            }

            engine.start();

            engine.marsadm().waitFor("broken", "primary");
            holdsWhatWasWritten(engine, "broken");
            holdsWhatWasWritten(engine, "sound");
            goesOnAfterAKill(engine);
            assertThat(engine.stop()).isZero();
        }
    }

    /** The log that has begun anew is as good as any. */
    private static void goesOnAfterAKill(EngineProcess engine) throws IOException {
        try (var connection = NbdConnection.open(engine.unix(), "broken/data")) {
            connection.write(1 << 20, filled(7), true);
            connection.disconnect();
        }
        engine.kill();
        engine.start();
        engine.marsadm().waitFor("broken", "primary");
        holdsWhatWasWritten(engine, "broken");
        try (var connection = NbdConnection.open(engine.unix(), "broken/data")) {
            assertThat(connection.read(1 << 20, 4096)).containsOnly(7);
            connection.disconnect();
        }
    }

    /** Two resources that were written; of "broken" the files that are to be damaged. */
    private static List<Path> stoppedWith(EngineProcess engine, Predicate<Path> which)
            throws Exception {
        engine.marsadm().createResource("sound", "data:16MiB");
        write(engine, "sound");
        Set<Path> others = files(engine);
        engine.marsadm().createResource("broken", "data:16MiB");
        write(engine, "broken");
        assertThat(engine.stop()).isZero();
        return filesOf("broken", engine, others, which);
    }

    private static List<Path> filesOf(
            String resource, EngineProcess engine, Set<Path> others, Predicate<Path> which)
            throws IOException {
        Set<Path> own = files(engine);
        own.removeAll(others);
        List<Path> found =
                own.stream()
                        .filter(file -> file.toString().contains("/" + resource + "/"))
                        .filter(which)
                        .sorted()
                        .toList();
        assertThat(found).as("among %s", own).isNotEmpty();
        return found;
    }

    private static void othersServeAndItSaysWhy(EngineProcess engine, String explained)
            throws IOException {
        holdsWhatWasWritten(engine, "sound");
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> saysWhatIsWrong(engine.marsadm().status("broken"), explained));
        assertThatThrownBy(() -> NbdConnection.open(engine.unix(), "broken/data"))
                .isInstanceOf(NbdRefusedException.class);
    }

    private static void holdsWhatWasWritten(EngineProcess engine, String resource)
            throws IOException {
        try (var connection = NbdConnection.open(engine.unix(), resource + "/data")) {
            assertThat(connection.read(4096, 4096)).containsOnly(9);
            connection.disconnect();
        }
    }

    private static void saysWhatIsWrong(ResourceStatus status, String explained) {
        assertThat(status.state()).isIn("Corrupt", "Failed");
        assertThat(status.conditions())
                .anySatisfy(condition -> {
                    assertThat(condition.get("status").asText()).isEqualTo("False");
                    assertThat(condition.get("reason").asText()).isNotBlank();
                    assertThat(condition.get("message").asText()).isNotBlank().contains(explained);
                    assertThat(condition.get("nextCommand").asText("")).isNotBlank();
                });
    }

    private static Map<Path, String> describe(List<Path> files) throws IOException {
        var described = new TreeMap<Path, String>();
        for (Path file : files) {
            described.put(file, Files.exists(file) ? TreeHash.of(file).toString() : "missing");
        }
        return described;
    }

    private static void write(EngineProcess engine, String resource) throws IOException {
        try (var connection = NbdConnection.open(engine.unix(), resource + "/data")) {
            connection.write(4096, filled(9), true);
            connection.disconnect();
        }
    }

    private static byte[] filled(int with) {
        var data = new byte[4096];
        Arrays.fill(data, (byte) with);
        return data;
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

    /** Version 2 in the first slot, otherwise whole: docs/format/log.md. */
    private static void makeNewer(Path file) throws IOException {
        var slot = ByteBuffer.wrap(Arrays.copyOf(Files.readAllBytes(file), METADATA_SLOT));
        slot.order(ByteOrder.LITTLE_ENDIAN).putInt(8, 2);
        var crc = new CRC32C();
        crc.update(slot.array(), 0, METADATA_SLOT - Integer.BYTES);
        slot.putInt(METADATA_SLOT - Integer.BYTES, (int) crc.getValue());
        try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(slot.clear(), 0);
        }
    }

    /** Another replica id in the label behind the volume: docs/format/log.md. */
    private static void makeForeign(Path file) throws IOException {
        try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.allocate(Long.BYTES), SIZE + 2 * Long.BYTES);
        }
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
