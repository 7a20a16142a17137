// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import storage.mars.engine.port.BlockFile;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Storage.Kind;

/** The data directory on a real file system: the contract, and what only real files have. */
class FileStorageTest extends StorageContract {

    private static final int BLOCK = 4096;

    @TempDir Path root;
    private StorageFixture fixture;

    @BeforeEach
    void open() throws Exception {
        fixture = StorageFixture.open(root);
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    @Override
    StorageCaller caller() {
        return fixture.caller();
    }

    @Test
    void logIsAllocatedAndImageIsSparse() throws IOException {
        caller().create("log", Kind.LOG, 8 << 20);
        caller().create("image", Kind.IMAGE, 1L << 40);

        assertThat(blocks("log")).isGreaterThanOrEqualTo((8 << 20) / 512);
        assertThat(blocks("image")).isLessThan(64);
        assertThat(Files.size(root.resolve("image"))).isEqualTo(1L << 40);
    }

    @Test
    void zeroGivesImageSpaceBackAndKeepsThatOfLogs() throws IOException {
        BlockFile image = caller().create("image", Kind.IMAGE, 4 << 20);
        BlockFile log = caller().create("log", Kind.LOG, 4 << 20);
        assertThat(caller().write(image, 0, filled(4 << 20, 1))).isNull();
        assertThat(caller().sync(image)).isNull();
        long before = blocks("image");

        assertThat(caller().zero(image, 1 << 20, 2 << 20)).isNull();
        assertThat(caller().zero(log, 1 << 20, 2 << 20)).isNull();

        assertThat(blocks("image")).isLessThanOrEqualTo(before - (2 << 20) / 512);
        assertThat(blocks("log")).isGreaterThanOrEqualTo((4 << 20) / 512);
    }

    @Test
    void extentsTellHolesFromData() {
        BlockFile image = caller().create("image", Kind.IMAGE, 1 << 20);
        assertThat(caller().write(image, 256 << 10, filled(64 << 10, 1))).isNull();

        assertThat(caller().nextExtent(image, 0, 1 << 20)).isEqualTo(-(256 << 10));
        assertThat(caller().nextExtent(image, 0, 4096)).isEqualTo(-4096);
        assertThat(caller().nextExtent(image, 256 << 10, 1 << 20)).isEqualTo(320 << 10);
        assertThat(caller().nextExtent(image, 320 << 10, 1 << 20)).isEqualTo(-(1 << 20));
    }

    @ParameterizedTest
    @ValueSource(strings = {"../out", "a/../../out", "/etc/passwd", "a//b", ".", "a b", "x~"})
    void namesCannotLeaveTheDataDirectory(String name) {
        IoFailure failure = caller().createFailing(name, Kind.IMAGE, BLOCK);

        assertThat(failure.kind()).isEqualTo(IoFailure.Kind.NOT_PERMITTED);
        assertThat(failure.message()).contains(name);
    }

    @Test
    void leftoverOfAnUnfinishedCreationIsNeverSeenAndGoesAtTheNextStart() throws Exception {
        caller().createDirectory("r");
        Files.write(root.resolve("r/segment~"), new byte[100]);
        assertThat(caller().list("r")).isEmpty();
        fixture.close();

        fixture = StorageFixture.open(root);

        assertThat(root.resolve("r/segment~")).doesNotExist();
    }

    @Test
    void filesAreForTheEnginesUserOnly() throws IOException {
        caller().create("f", Kind.METADATA, BLOCK);

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(root.resolve("f"))))
                .isEqualTo("rw-------");
    }

    @Test
    void directoryOrUnreadableFileIsAFailureWithAReason() {
        caller().createDirectory("d");

        IoFailure failure = caller().openFailing("d", Kind.IMAGE);

        assertThat(failure.kind()).isEqualTo(IoFailure.Kind.IO_ERROR);
        assertThat(failure.message()).contains("open d").contains("directory");
    }

    @Test
    void shrinkingIsRefused() {
        BlockFile file = caller().create("f", Kind.IMAGE, 2 * BLOCK);

        assertThat(caller().resize(file, BLOCK)).isNotNull();
        assertThat(file.size()).isEqualTo(2 * BLOCK);
    }

    @Test
    void closeWaitsForWhatIsUnderWayAndRefusesWhatFollows() {
        BlockFile file = caller().create("f", Kind.LOG, 1 << 20);
        List<CompletableFuture<Boolean>> writes = new ArrayList<>();
        CompletableFuture<Boolean> refused = new CompletableFuture<>();
        fixture.shard()
                .execute(() -> {
                    for (int i = 0; i < 50; i++) {
                        CompletableFuture<Boolean> write = new CompletableFuture<>();
                        writes.add(write);
                        file.writeDurably(
                                0,
                                new ByteBuffer[] {filled(BLOCK, i)},
                                1,
                                failure -> write.complete(failure == null));
                    }
                    file.close();
                    assertThatThrownBy(() -> file.sync(failure -> {}))
                            .isInstanceOf(IllegalStateException.class);
                    refused.complete(true);
                });

        assertThat(refused.orTimeout(20, TimeUnit.SECONDS).join()).isTrue();
        assertThat(writes).allMatch(write -> write.orTimeout(20, TimeUnit.SECONDS).join());
        await().atMost(Duration.ofSeconds(20)).until(() -> !isOpen(root.resolve("f")));
    }

    @Test
    void imageOperationsRunSideBySideAndAllComplete() {
        BlockFile file = caller().create("f", Kind.IMAGE, 4 << 20);
        List<CompletableFuture<Boolean>> writes = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            CompletableFuture<Boolean> write = new CompletableFuture<>();
            writes.add(write);
            long position = (long) i * BLOCK;
            ByteBuffer from = filled(BLOCK, i);
            fixture.shard()
                    .execute(() ->
                            file.write(position, from, failure -> write.complete(failure == null)));
        }

        assertThat(writes).allMatch(write -> write.orTimeout(20, TimeUnit.SECONDS).join());
        ByteBuffer all = aligned(1000 * BLOCK);
        assertThat(caller().read(file, 0, all)).isNull();
        for (int i = 0; i < 1000; i++) {
            assertThat(all.get(i * BLOCK)).isEqualTo((byte) i);
        }
    }

    @Test
    void afterTheThreadsHaveEndedOperationsAreAnsweredAsClosed() {
        BlockFile image = caller().create("image", Kind.IMAGE, BLOCK);
        BlockFile log = caller().create("log", Kind.LOG, BLOCK);

        assertThat(fixture.threads().close(Duration.ofSeconds(10))).isTrue();

        for (BlockFile file : List.of(image, log)) {
            IoFailure failure = caller().write(file, 0, filled(BLOCK, 1));
            assertThat(StorageCaller.kind(failure)).isEqualTo(IoFailure.Kind.CLOSED);
        }
    }

    @Test
    void failingReceiverDoesNotKeepOthersFromTheirCompletions() {
        BlockFile file = caller().create("f", Kind.IMAGE, BLOCK);
        CompletableFuture<Boolean> second = new CompletableFuture<>();
        fixture.shard()
                .execute(() -> {
                    file.sync(failure -> {
                        throw new IllegalStateException("wanted by the test");
                    });
                    file.sync(failure -> second.complete(failure == null));
                });

        assertThat(second.orTimeout(20, TimeUnit.SECONDS).join()).isTrue();
    }

    @Test
    void directoriesMayBeMadeSideBySide() {
        for (int i = 0; i < 100; i++) {
            List<CompletableFuture<Boolean>> made = new ArrayList<>();
            for (String leaf : List.of("x", "x", "y", "z")) {
                CompletableFuture<Boolean> one = new CompletableFuture<>();
                made.add(one);
                String name = "d" + i + "/p/" + leaf;
                fixture.shard()
                        .execute(() ->
                                fixture.storage()
                                        .createDirectory(
                                                name, failure -> one.complete(failure == null)));
            }

            assertThat(made).allMatch(one -> one.orTimeout(20, TimeUnit.SECONDS).join());
        }
        caller().create("file", Kind.IMAGE, BLOCK);
        assertThat(
                        StorageCaller.kind(
                                caller().outcome(done ->
                                        fixture.storage().createDirectory("file", done))))
                .isEqualTo(IoFailure.Kind.ALREADY_EXISTS);
    }

    @Test
    void slowImageSyncsHoldNoNewSegmentUp() {
        CountDownLatch slow = new CountDownLatch(1);
        HandBack home = new HandBack(fixture.shard());
        List<CompletableFuture<Boolean>> syncs = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            CompletableFuture<Boolean> sync = new CompletableFuture<>();
            syncs.add(sync);
            fixture.threads()
                    .maintenance()
                    .submit(
                            new Errand<>(
                                    home,
                                    "sync",
                                    () -> awaited(slow),
                                    (value, failure) -> sync.complete(failure == null)));
        }

        caller().create("spare-1", Kind.LOG, 1 << 20);

        assertThat(caller().rename("spare-1", "segment")).isNull();
        assertThat(syncs).noneMatch(CompletableFuture::isDone);
        slow.countDown();
        assertThat(syncs).allMatch(sync -> sync.orTimeout(20, TimeUnit.SECONDS).join());
    }

    private static boolean awaited(CountDownLatch latch) {
        try {
            return latch.await(20, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aLogThatIsOpenedThroughTheCacheIsReadFromTheDevice() throws IOException {
        assumeThat(Files.getFileStore(root).type()).isNotEqualTo("tmpfs");
        Path path = root.resolve("cached");
        OpenFile writer = FileCreation.create(path, Kind.LOG, 8 << 20, false);
        writer.write(0, filled(8 << 20, 3));
        writer.sync();
        assertThat(isCached(path)).isTrue();

        OpenFile reader = OpenFile.open(path, Kind.LOG, false);

        assertThat(isCached(path)).isFalse();
        ByteBuffer first = aligned(BLOCK);
        reader.read(0, first);
        assertThat(first.get(0)).isEqualTo((byte) 3);
        reader.close();
        writer.close();
    }

    @Test
    void whereNothingIsReadPastTheCacheThatIsSaid() throws IOException {
        OpenFile image = FileCreation.create(root.resolve("image"), Kind.IMAGE, 8192, false);

        assertThatThrownBy(() -> image.readDevice(0, aligned(BLOCK), new BitSet()))
                .isInstanceOf(IOException.class)
                .hasMessage("the file system has no way around its cache");
        image.close();
    }

    private static boolean isCached(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path)) {
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size()).isLoaded();
        }
    }

    private long blocks(String name) throws IOException {
        Process stat =
                new ProcessBuilder("stat", "-c", "%b", root.resolve(name).toString()).start();
        return Long.parseLong(
                new String(stat.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).trim());
    }

    private static boolean isOpen(Path path) throws IOException {
        try (var descriptors = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path each : descriptors) {
                if (Files.isSymbolicLink(each) && Files.readSymbolicLink(each).equals(path)) {
                    return true;
                }
            }
        }
        return false;
    }
}
