// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import storage.mars.engine.port.BlockFile;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Storage.Kind;

/** What happens when the file system is full. */
class NoSpaceTest {

    @TempDir Path root;

    @ParameterizedTest
    @EnumSource(
            value = Kind.class,
            names = {"LOG", "METADATA"})
    void fileThatDoesNotFitLeavesNothingBehind(Kind kind) throws Exception {
        try (SmallFileSystem small = SmallFileSystem.mount(root.resolve("fs"), "1m");
                StorageFixture fixture = StorageFixture.open(small.path())) {
            long before = fixture.caller().usableBytes();

            IoFailure failure = fixture.caller().createFailing("f", kind, 2 << 20);

            assertThat(failure.kind()).isEqualTo(IoFailure.Kind.NO_SPACE);
            assertThat(failure.message()).startsWith("create f: ");
            assertThat(names(small.path())).containsExactly("engine.lock");
            assertThat(fixture.caller().usableBytes()).isEqualTo(before);
        }
    }

    @Test
    void writeIntoAHoleOfAFullFileSystemSaysNoSpace() throws Exception {
        try (SmallFileSystem small = SmallFileSystem.mount(root.resolve("fs"), "1m");
                StorageFixture fixture = StorageFixture.open(small.path())) {
            BlockFile image = fixture.caller().create("image", Kind.IMAGE, 4 << 20);

            IoFailure failure =
                    fixture.caller().write(image, 0, StorageContract.filled(2 << 20, 1));

            assertThat(StorageCaller.kind(failure)).isEqualTo(IoFailure.Kind.NO_SPACE);
            fixture.caller().close(image);
        }
    }

    @Test
    void fullDirectoryIsRefusedUnlessItHoldsResources() throws Exception {
        try (SmallFileSystem small = SmallFileSystem.mount(root.resolve("fs"), "64k")) {
            Path filler = small.path().resolve("filler");
            fill(filler);

            assertThatThrownBy(() -> DataDirectory.open(DirectoryLock.take(small.path())))
                    .isInstanceOf(UnusableDirectoryException.class)
                    .hasMessageContaining(small.path() + " is full")
                    .hasMessageContaining("--data-dir");
            assertThat(names(small.path())).containsExactly("filler");

            Files.createDirectory(small.path().resolve("resources"));
            DataDirectory.open(DirectoryLock.take(small.path())).close();
        }
    }

    private static void fill(Path file) {
        try {
            Files.write(file, new byte[1 << 20]);
        } catch (IOException e) {
            assertThat(file).exists();
        }
    }

    private static List<String> names(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.map(entry -> entry.getFileName().toString()).toList();
        }
    }
}
