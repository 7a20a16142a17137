// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e.harness;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** An NBD export as a loop device on this machine, by nbdfuse, with a file system on it. */
public final class MountedExport implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private final Path fuse;
    private final Path mountPoint;
    private final Process nbdfuse;
    private final String kind;
    private @Nullable String loop;
    private boolean mounted;

    private MountedExport(Path directory, String kind, Process nbdfuse) {
        fuse = directory.resolve("fuse");
        mountPoint = directory.resolve("mount");
        this.kind = kind;
        this.nbdfuse = nbdfuse;
    }

    /**
     * Attaches the export; {@code kind} is ext4 or xfs. The test is skipped where this cannot be.
     */
    public static MountedExport attach(Path directory, String uri, String kind) throws IOException {
        Tools.needMounts();
        Tools.need("nbdfuse", "losetup", "mkfs." + kind);
        Path fuse = Files.createDirectories(directory.resolve("fuse"));
        Files.createDirectories(directory.resolve("mount"));
        Process nbdfuse =
                new ProcessBuilder("nbdfuse", fuse.resolve("disk").toString(), uri)
                        .redirectErrorStream(true)
                        .redirectOutput(Redirect.to(directory.resolve("nbdfuse.log").toFile()))
                        .start();
        var export = new MountedExport(directory, kind, nbdfuse);
        try {
            export.attachLoop();
            return export;
        } catch (RuntimeException | Error e) {
            export.close();
            throw e;
        }
    }

    private void attachLoop() {
        Path disk = fuse.resolve("disk");
        await("nbdfuse").atMost(LIMIT).until(() -> Files.exists(disk));
        loop = run("losetup", "-f", "--show", disk).strip();
    }

    public void mkfs() {
        run("mkfs." + kind, "-q", kind.equals("xfs") ? "-f" : "-F", device());
    }

    public Path mount() {
        run("mount", device(), mountPoint);
        mounted = true;
        return mountPoint;
    }

    public void unmount() {
        run("umount", mountPoint);
        mounted = false;
    }

    /** Checks without repair; fails the test when anything is found. */
    public void fsck() {
        switch (kind) {
            case "xfs" -> run("xfs_repair", "-n", device());
            default -> run("e2fsck", "-fn", device());
        }
    }

    public String device() {
        if (loop == null) {
            throw new IllegalStateException("not attached");
        }
        return loop;
    }

    @Override
    public void close() {
        if (mounted) {
            var gone = Command.of("umount", "-l", mountPoint).run();
            mounted = gone.exitCode() != 0;
        }
        if (loop != null) {
            run("losetup", "-d", loop);
            loop = null;
        }
        var detached = Command.of("umount", fuse).run();
        try {
            if (detached.exitCode() != 0
                    || !nbdfuse.waitFor(LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
                nbdfuse.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static String run(Object... words) {
        return Command.of(words).run().succeeded().out();
    }
}
