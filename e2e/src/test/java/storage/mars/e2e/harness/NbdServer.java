// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e.harness;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import storage.mars.e2e.nbd.NbdAddress;

/** Somebody else's NBD server on a file, to prove the tests themselves with. */
public final class NbdServer implements AutoCloseable {
    private final NbdAddress address;
    private final Path log;
    private final List<String> words;
    private @Nullable Process process;

    private NbdServer(Path directory, NbdAddress address, List<String> words) {
        this.address = address;
        log = directory.resolve("server.log");
        this.words = words;
    }

    public static NbdServer nbdkit(Path directory, long sizeBytes) throws IOException {
        Tools.need("nbdkit");
        String image = image(directory, sizeBytes).toString();
        Path socket = socketIn(directory);
        return started(
                directory,
                new NbdAddress.Unix(socket),
                List.of("nbdkit", "-f", "-U", socket.toString(), "file", image));
    }

    /** On a loopback port. */
    public static NbdServer nbdkitOnTcp(Path directory, long sizeBytes, int port)
            throws IOException {
        Tools.need("nbdkit");
        String image = image(directory, sizeBytes).toString();
        String listen = Integer.toString(port);
        var address = new NbdAddress.Tcp("127.0.0.1", port);
        return started(
                directory,
                address,
                List.of("nbdkit", "-f", "-i", "127.0.0.1", "-p", listen, "file", image));
    }

    public static NbdServer qemuNbd(Path directory, long sizeBytes) throws IOException {
        Tools.need("qemu-nbd");
        String image = image(directory, sizeBytes).toString();
        Path socket = socketIn(directory);
        return started(
                directory,
                new NbdAddress.Unix(socket),
                List.of("qemu-nbd", "-t", "-e", "16", "-f", "raw", "-k", socket.toString(), image));
    }

    public NbdAddress address() {
        return address;
    }

    public void kill() throws InterruptedException {
        if (process != null) {
            process.destroyForcibly().waitFor();
        }
    }

    public void start() throws IOException {
        if (address instanceof NbdAddress.Unix(Path socket)) {
            Files.deleteIfExists(socket);
        }
        process =
                new ProcessBuilder(words)
                        .redirectErrorStream(true)
                        .redirectOutput(Redirect.appendTo(log.toFile()))
                        .start();
        await("server")
                .atMost(Duration.ofSeconds(20))
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(10))
                .ignoreExceptionsInstanceOf(IOException.class)
                .until(() -> {
                    address.connect().close();
                    return true;
                });
    }

    @Override
    public void close() throws InterruptedException {
        kill();
    }

    private static NbdServer started(Path directory, NbdAddress address, List<String> words)
            throws IOException {
        var server = new NbdServer(directory, address, words);
        server.start();
        return server;
    }

    private static Path socketIn(Path directory) {
        return directory.resolve("nbd.sock");
    }

    private static Path image(Path directory, long sizeBytes) throws IOException {
        Path image = directory.resolve("disk.img");
        try (var file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(sizeBytes);
        }
        return image;
    }
}
