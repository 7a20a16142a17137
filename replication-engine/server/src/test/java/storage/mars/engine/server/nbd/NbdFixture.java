// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.channel.epoll.EpollEventLoopGroup;
import io.netty.util.ResourceLeakDetector;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * A server on loopback and on a Unix socket, with a writable, a read-only and a huge export on
 * shards of their own.
 */
final class NbdFixture implements AutoCloseable {

    static final int SIZE = 64 << 20;
    static final String DISK = "r/disk";
    static final String READ_ONLY = "r/ro";
    static final String HUGE = "big/huge";
    static final long HUGE_SIZE = 1L << 43;

    static {
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
    }

    private final ActiveBuffers buffers = new ActiveBuffers();
    final MemoryExports exports = new MemoryExports();
    final MemoryExport disk;
    final MemoryExport huge;
    final NbdServer server;
    final InetSocketAddress tcp;
    final Path unix;

    private final EpollEventLoopGroup handshakes = new EpollEventLoopGroup(1);
    private final EpollEventLoopGroup shards = new EpollEventLoopGroup(2);
    private final Path directory;

    NbdFixture() throws IOException {
        this(NbdLimits.defaults());
    }

    NbdFixture(NbdLimits limits) throws IOException {
        this(limits, new ExportManners(true, false));
    }

    NbdFixture(NbdLimits limits, ExportManners manners) throws IOException {
        LoopShard first = new LoopShard(shards.next());
        disk = exports.add(DISK, SIZE, false, first);
        exports.add(READ_ONLY, SIZE, true, first);
        huge = exports.add(HUGE, HUGE_SIZE, false, new LoopShard(shards.next()));
        server = new NbdServer(exports, handshakes, LoopShard::loopOf, limits, manners);
        directory = Files.createTempDirectory("nbd");
        unix = directory.resolve("nbd.sock");
        tcp = server.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        server.listen(unix);
    }

    RawClient connect() {
        return RawClient.tcp(tcp);
    }

    RawClient connectUnix() {
        return RawClient.unix(unix);
    }

    /** A client in the transmission phase with simple replies. */
    RawClient enter(String export) {
        return connect().hello().go(export);
    }

    /** A client in the transmission phase with structured replies and base:allocation. */
    RawClient enterStructured(String export) {
        return connect().hello().structured().selectAllocation(export).go(export);
    }

    String uri(String export) {
        return "nbd+unix:///" + export + "?socket=" + unix;
    }

    @Override
    public void close() throws IOException {
        server.stop(Duration.ofSeconds(2)).join();
        handshakes.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
        shards.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
        buffers.expectNoneLeft();
        Files.deleteIfExists(unix);
        Files.delete(directory);
    }
}
