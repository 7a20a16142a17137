// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e.harness;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;

/** A file of random data with holes between. */
public final class SampleImage {
    private static final int PIECE = 64 * 1024;

    private SampleImage() {}

    public static Path create(Path file, long sizeBytes, long seed) throws IOException {
        var random = new Random(seed);
        var data = new byte[PIECE];
        try (var out =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            out.write(ByteBuffer.allocate(1), sizeBytes - 1);
            for (long at = 0; at + PIECE <= sizeBytes; at += PIECE) {
                if (random.nextInt(3) > 0) {
                    random.nextBytes(data);
                    out.write(ByteBuffer.wrap(data), at);
                }
            }
        }
        return file;
    }
}
