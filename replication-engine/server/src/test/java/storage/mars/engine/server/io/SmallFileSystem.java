// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A file system of a few pages in memory, to run out of; needs the right to mount. */
record SmallFileSystem(Path path) implements AutoCloseable {

    static SmallFileSystem mount(Path at, String size) throws Exception {
        Files.createDirectories(at);
        boolean mounted = run("mount", "-t", "tmpfs", "-o", "size=" + size, "tmpfs", at.toString());
        assumeTrue(mounted, "mounting a tmpfs needs root (CAP_SYS_ADMIN)");
        return new SmallFileSystem(at);
    }

    @Override
    public void close() throws Exception {
        if (!run("umount", path.toString())) {
            throw new IOException("cannot unmount " + path);
        }
    }

    private static boolean run(String... command) throws Exception {
        try {
            return new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        }
    }
}
