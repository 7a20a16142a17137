// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e.load;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import storage.mars.e2e.nbd.NbdAddress;
import storage.mars.e2e.nbd.NbdConnection;

/**
 * Writes stamped blocks in random order until stopped and keeps the history; reads each block
 * before it overwrites it, so that a lost write cannot hide behind a later one. The volume has to
 * be zero at first. {@code depth} requests are in flight, never two of them for one block. Runs on
 * virtual threads, one for each request in flight.
 */
public final class LoadClient implements AutoCloseable {
    private final LoadSettings settings;
    private final WriteHistory history;
    private final List<Reconnecting> connections = new ArrayList<>();
    private final List<Thread> writers = new ArrayList<>();
    private final Queue<String> errors = new ConcurrentLinkedQueue<>();
    private final BitSet busy;
    private final long[] latest;
    private final SplittableRandom random;
    private final AtomicLong longestPauseNanos = new AtomicLong();
    private volatile boolean stopping;

    private LoadClient(LoadSettings settings, long run) throws IOException {
        this.settings = settings;
        history = new WriteHistory(run, settings.blocks(), settings.journal());
        busy = new BitSet(settings.blocks());
        latest = new long[settings.blocks()];
        random = new SplittableRandom(run);
        for (int i = 0; i < settings.connections(); i++) {
            connections.add(
                    new Reconnecting(settings.address(), settings.export(), settings.patience()));
        }
    }

    public static LoadClient start(LoadSettings settings, long run) throws IOException {
        var client = new LoadClient(settings, run);
        for (int i = 0; i < settings.depth(); i++) {
            Reconnecting connection = client.connections.get(i % settings.connections());
            client.writers.add(
                    Thread.ofVirtual().name("writer-" + i).start(() -> client.write(connection)));
        }
        return client;
    }

    public WriteHistory history() {
        return history;
    }

    /** Errors that the server answered and requests that were given up. */
    public List<String> errors() {
        return List.copyOf(errors);
    }

    public long reconnections() {
        return connections.stream().mapToLong(Reconnecting::reconnections).sum();
    }

    /** The longest time from issue to acknowledgement. */
    public Duration longestPause() {
        return Duration.ofNanos(longestPauseNanos.get());
    }

    /** Waits for as many further acknowledgements. */
    public void awaitProgress(long writes) {
        long target = history.acknowledged() + writes;
        await().atMost(settings.patience())
                .pollInterval(Duration.ofMillis(5))
                .until(() -> history.acknowledged() >= target || !errors.isEmpty());
    }

    /** Stops after what is in flight has been answered. */
    public void stop() throws IOException, InterruptedException {
        stopping = true;
        for (Thread writer : writers) {
            writer.join(settings.patience().multipliedBy(2));
            if (writer.isAlive()) {
                errors.add(writer.getName() + " is still waiting for its answer");
            }
        }
        disconnect();
    }

    /** Stops without waiting: what is in flight stays unanswered. */
    public void abandon() throws IOException, InterruptedException {
        stopping = true;
        disconnect();
        for (Thread writer : writers) {
            writer.join();
        }
    }

    /** Reads what the export holds now, over a connection of its own. */
    public ContentSnapshot content() throws IOException {
        return contentOn(settings.address());
    }

    /** Reads what another engine's replica of the export holds now. */
    public ContentSnapshot contentOn(NbdAddress address) throws IOException {
        try (var connection = NbdConnection.open(address, settings.export())) {
            ContentSnapshot content = ContentSnapshot.read(connection, history);
            connection.disconnect();
            return content;
        }
    }

    @Override
    public void close() throws IOException, InterruptedException {
        if (!stopping) {
            abandon();
        }
        history.close();
    }

    private void disconnect() {
        for (Reconnecting connection : connections) {
            try {
                connection.close();
            } catch (IOException e) {
                // The server is gone already, which is what the caller wanted of this connection.
            }
        }
    }

    private void write(Reconnecting connection) {
        try {
            while (!stopping) {
                writeOne(connection);
            }
        } catch (IOException e) {
            if (!stopping) {
                errors.add(String.valueOf(e.getMessage()));
            }
        }
    }

    private void writeOne(Reconnecting connection) throws IOException {
        int block = claim();
        try {
            long began = System.nanoTime();
            connection.call(from -> checkBeforeOverwriting(block, from));
            long sequence = history.issue(block);
            byte[] content = BlockStamp.encode(history.run(), block, sequence);
            connection.call(to -> to.write((long) block * BlockStamp.SIZE, content));
            history.acknowledge(sequence);
            latest[block] = sequence;
            longestPauseNanos.accumulateAndGet(System.nanoTime() - began, Math::max);
            if (sequence % settings.flushEvery() == 0) {
                connection.call(NbdConnection::flush);
            }
        } finally {
            release(block);
        }
    }

    /** What is overwritten can no longer be checked at the end. */
    private void checkBeforeOverwriting(int block, NbdConnection from) throws IOException {
        byte[] content = from.read((long) block * BlockStamp.SIZE, BlockStamp.SIZE);
        var found = BlockStamp.decode(history.run(), block, ByteBuffer.wrap(content));
        if (!found.equals(new BlockStamp.Version(latest[block]))) {
            errors.add(
                    "block %d holds %s instead of write %d".formatted(block, found, latest[block]));
        }
    }

    private int claim() {
        synchronized (busy) {
            int block = random.nextInt(settings.blocks());
            while (busy.get(block)) {
                block = random.nextInt(settings.blocks());
            }
            busy.set(block);
            return block;
        }
    }

    private void release(int block) {
        synchronized (busy) {
            busy.clear(block);
        }
    }
}
