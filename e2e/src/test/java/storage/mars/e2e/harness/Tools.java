// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e.harness;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/** What this machine has. A test that needs what is missing is skipped and says what that is. */
public final class Tools {
    private Tools() {}

    public static void need(String... programs) {
        for (String program : programs) {
            assumeTrue(find(program).isPresent(), program + " is not installed (make setup)");
        }
    }

    public static void needRoot() {
        assumeTrue(isRoot(), "needs root");
    }

    /** Root, FUSE and loop devices: what it takes to mount a file system that NBD serves. */
    public static void needMounts() {
        needRoot();
        assumeTrue(Files.isWritable(Path.of("/dev/fuse")), "needs /dev/fuse");
        assumeTrue(Files.isWritable(Path.of("/dev/loop-control")), "needs /dev/loop-control");
    }

    public static boolean isRoot() {
        try {
            return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }

    /** Looks also where Debian keeps mkfs, losetup and the like. */
    public static Optional<Path> find(String program) {
        String path = System.getenv().getOrDefault("PATH", "") + ":/usr/sbin:/sbin";
        return Stream.of(path.split(File.pathSeparator, -1))
                .filter(directory -> !directory.isEmpty())
                .map(directory -> Path.of(directory, program))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /** The root of this project's tree. */
    public static Path projectRoot() {
        String given = System.getProperty("mars.root");
        return given == null ? Path.of("").toAbsolutePath() : Path.of(given);
    }
}
