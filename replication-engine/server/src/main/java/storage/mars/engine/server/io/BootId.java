// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the kernel draws anew at every boot of the machine. */
public final class BootId {

    private static final Logger LOGGER = LoggerFactory.getLogger(BootId.class);
    private static final Path FILE = Path.of("/proc/sys/kernel/random/boot_id");

    private BootId() {}

    /**
     * The present boot as a number; one that never comes again where the kernel does not tell, so
     * that every start counts as one after a boot.
     */
    public static long read() {
        try {
            UUID id = UUID.fromString(Files.readString(FILE).strip());
            return id.getMostSignificantBits() ^ id.getLeastSignificantBits();
        } catch (IOException | IllegalArgumentException e) {
            LOGGER.warn("{} tells no boot: every start counts as a boot of the machine", FILE);
            return new SecureEntropy().nextLong();
        }
    }
}
