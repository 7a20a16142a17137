// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One engine per directory, and one clear line for each directory that cannot be used. */
class DataDirectoryTest {

    @TempDir Path root;

    @Test
    void lastPartOfThePathIsCreated() throws Exception {
        DataDirectory.open(DirectoryLock.take(root.resolve("data"))).close();

        assertThat(root.resolve("data")).isDirectory();
    }

    @Test
    void whatCannotBeLookedIntoDoesNotKeepLeftoversOfCreations() throws Exception {
        Path log = Files.createDirectories(root.resolve("resources/r/log"));
        Path left = Files.createFile(log.resolve("spare-1~"));
        List<Path> closed = new ArrayList<>();
        for (String name : List.of("a", "lost+found", "z")) {
            closed.add(Files.createDirectory(root.resolve(name)));
        }
        for (Path each : closed) {
            Files.setPosixFilePermissions(each, Set.of());
        }
        assumeFalse(Files.isReadable(closed.getFirst()), "root may look into any directory");

        DataDirectory.open(DirectoryLock.take(root)).close();

        assertThat(left).doesNotExist();
    }

    @Test
    void missingParentIsNamed() {
        assertRefused(root.resolve("no/data"), root.resolve("no") + " does not exist");
        assertThat(root.resolve("no")).doesNotExist();
    }

    @Test
    void fileInItsPlaceIsNamed() throws Exception {
        Path file = Files.createFile(root.resolve("file"));

        assertRefused(file, "is not a directory");
    }

    @Test
    void secondEngineInThisProcessIsRefused() throws Exception {
        try (DataDirectory first = DataDirectory.open(DirectoryLock.take(root))) {
            assertThat(first.usableBytes()).isPositive();
            assertRefused(root, "is in use by another engine");
        }
    }

    @Test
    void secondProcessIsRefusedAndToldWhoHoldsTheDirectory() throws Exception {
        Process holder = holder(root);
        try (BufferedReader output = reader(holder)) {
            assertThat(output.readLine()).isEqualTo("locked");

            assertRefused(root, "in use by another engine (process " + holder.pid() + ")");
            assertThat(root.resolve("engine.lock")).hasContent(Long.toString(holder.pid()));
        } finally {
            holder.destroyForcibly().waitFor(20, TimeUnit.SECONDS);
        }

        DataDirectory.open(DirectoryLock.take(root)).close();
    }

    @Test
    void directoryWithoutWriteAccessIsRefused() throws Exception {
        Path readOnly = Files.createDirectory(root.resolve("sys"));
        assertThat(readOnly.toFile().setWritable(false)).isTrue();
        assumeFalse(Files.isWritable(readOnly), "root may write anywhere");

        assertRefused(readOnly, "is not writable");
    }

    @Test
    void readOnlyFileSystemIsRefused() {
        assertRefused(Path.of("/proc/sys"), "is not writable");
    }

    @Test
    void theIdIsMadeOnceAndKept() throws Exception {
        String id;
        try (DataDirectory first = DataDirectory.open(DirectoryLock.take(root.resolve("data")))) {
            assertThat(root.resolve("data/engine.id")).doesNotExist();
            id = first.engineId();
        }

        try (DataDirectory again = DataDirectory.open(DirectoryLock.take(root.resolve("data")))) {
            assertThat(id).matches("[0-9a-f]{16}");
            assertThat(again.engineId()).isEqualTo(id);
        }
        try (DataDirectory other = DataDirectory.open(DirectoryLock.take(root.resolve("other")))) {
            assertThat(other.engineId()).isNotEqualTo(id);
        }
    }

    @Test
    void whatIsNoIdIsNamedAndLeftAlone() throws Exception {
        Files.writeString(root.resolve("engine.id"), "name");

        assertRefused(root, root.resolve("engine.id") + " holds no engine id");

        assertThat(root.resolve("engine.id")).hasContent("name");
        assertThat(root.resolve("engine.lock")).doesNotExist();
    }

    private static void assertRefused(Path path, String reason) {
        assertThatThrownBy(() -> DataDirectory.open(DirectoryLock.take(path)))
                .isInstanceOf(UnusableDirectoryException.class)
                .hasMessageContaining(path.toString())
                .hasMessageContaining(reason)
                .message()
                .doesNotContain("\n");
    }

    private static Process holder(Path directory) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+UseSerialGC",
                        "-Xshare:auto",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Holder.class.getName(),
                        directory.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private static BufferedReader reader(Process process) {
        return new BufferedReader(
                new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    /** The other process: holds the directory until it is killed. */
    static final class Holder {

        public static void main(String[] arguments) throws Exception {
            DataDirectory.open(DirectoryLock.take(Path.of(arguments[0])));
            System.out.println("locked");
            System.in.read();
        }
    }
}
