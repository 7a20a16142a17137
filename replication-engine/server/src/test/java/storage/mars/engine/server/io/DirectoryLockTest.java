// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The lock of a file that was removed is nobody's, and a refusal leaves nothing that is new. */
class DirectoryLockTest {

    @TempDir Path root;

    @Test
    void aFileThatWasRemovedBeforeItWasLockedDoesNotCount() throws Exception {
        Path path = root.resolve("engine.lock");
        LockFile first = LockFile.open(path);
        assertThat(first.lock()).isEqualTo(LockFile.Taken.OURS);
        LockFile second = LockFile.open(path);
        LockFile third = LockFile.open(path);

        first.removeIfCreated();
        first.close();

        assertThat(second.lock()).isEqualTo(LockFile.Taken.GONE);
        second.close();
        LockFile next = LockFile.open(path);
        assertThat(next.lock()).isEqualTo(LockFile.Taken.OURS);
        assertThat(third.lock()).isEqualTo(LockFile.Taken.GONE);
        third.removeIfCreated();
        third.close();
        assertThat(path).exists();
        next.close();
    }

    @Test
    void aFileThatStayedCountsAndIsNotRemovedByWhoFoundIt() throws Exception {
        Path path = Files.createFile(root.resolve("engine.lock"));
        LockFile file = LockFile.open(path);

        assertThat(file.lock()).isEqualTo(LockFile.Taken.OURS);
        file.removeIfCreated();
        file.close();

        assertThat(path).exists();
    }

    @Test
    void aDirectoryThatCannotHoldALockFileIsNotLeftBehind() throws Exception {
        try (SmallFileSystem small = SmallFileSystem.mount(root.resolve("fs"), "1m,nr_inodes=2")) {
            Path data = small.path().resolve("data");

            assertThatThrownBy(() -> DirectoryLock.take(data))
                    .isInstanceOf(UnusableDirectoryException.class)
                    .hasMessageContaining(data + " is full");

            assertThat(data).doesNotExist();
        }
    }

    @Test
    void aFileWhoseRemovalWasBrokenOffIsNamed() throws Exception {
        try (var file = new RandomAccessFile(root.resolve("engine.lock").toFile(), "rw")) {
            file.setLength(1 << 20);
        }

        assertThatThrownBy(() -> DirectoryLock.take(root))
                .isInstanceOf(UnusableDirectoryException.class)
                .hasMessageContaining("remove " + root.resolve("engine.lock"));

        assertThat(root.resolve("engine.lock")).hasSize(1 << 20);
    }
}
