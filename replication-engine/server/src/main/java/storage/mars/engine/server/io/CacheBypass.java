// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;

/** Opens channels, with O_DIRECT where asked for. */
final class CacheBypass {

    /**
     * Named by reflection because a direct mention is a compiler warning that cannot be switched
     * off.
     */
    private static final OpenOption DIRECT = direct();

    private CacheBypass() {}

    /** Opens an existing file for reading and writing. */
    static FileChannel open(Path path, boolean direct) throws IOException {
        return direct
                ? FileChannel.open(
                        path, Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE, DIRECT))
                : FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    private static OpenOption direct() {
        try {
            Class<?> options = Class.forName("com.sun.nio.file.ExtendedOpenOption");
            return (OpenOption) options.getField("DIRECT").get(null);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("This JDK cannot open files with O_DIRECT", e);
        }
    }
}
