// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import storage.mars.e2e.harness.Command;
import storage.mars.e2e.harness.MountedExport;
import storage.mars.e2e.harness.NbdServer;
import storage.mars.e2e.harness.Tools;
import storage.mars.e2e.harness.TwoEngines;

/** Real files on a real file system on an export, here and on the replica after a handover. */
final class FileSystemIT {
    private static final String VOLUME = "400MiB";
    private static final long VOLUME_BYTES = 400L << 20;
    private static final Path SOURCE = Path.of(System.getProperty("java.home"), "legal");
    @TempDir Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"ext4", "xfs"})
    void filesAreTheSameOnThePrimaryAndAfterHandoverOnTheReplica(String kind) throws Exception {
        Tools.needMounts();
        try (var engines = TwoEngines.start(directory)) {
            engines.replicate("r", VOLUME);
            Path here = Files.createDirectories(directory.resolve("here"));
            try (var export = MountedExport.attach(here, engines.a().unix().uri("r/data"), kind)) {
                export.mkfs();
                copyAndCompare(export);
            }
            engines.b().marsadm().promote("r");
            Path there = Files.createDirectories(directory.resolve("there"));
            try (var export = MountedExport.attach(there, engines.b().unix().uri("r/data"), kind)) {
                export.fsck();
                compare(export);
            }
        }
    }

    @Test
    void stockServerHoldsTheSameFiles() throws Exception {
        Tools.needMounts();
        try (var server = NbdServer.nbdkit(directory, VOLUME_BYTES);
                var export = MountedExport.attach(directory, server.address().uri(""), "xfs")) {
            export.mkfs();
            copyAndCompare(export);
        }
    }

    private static void copyAndCompare(MountedExport export) {
        Path target = export.mount();
        Command.of("cp", "-a", SOURCE, target).run().succeeded();
        Command.of("sync", "-f", target).run().succeeded();
        export.unmount();
        export.fsck();
        compare(export);
    }

    private static void compare(MountedExport export) {
        Path target = export.mount();
        Command.of("diff", "-r", "--no-dereference", SOURCE, target.resolve("legal"))
                .run()
                .succeeded();
        export.unmount();
    }
}
