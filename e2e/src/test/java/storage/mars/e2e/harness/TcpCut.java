// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e.harness;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A relay on the loopback interface in front of one port. It can cut (connections end, new ones are
 * refused at once), stall (connections stay, nothing moves) and delay what passes, in both
 * directions.
 */
public final class TcpCut implements AutoCloseable {
    private static final int BUFFER = 64 * 1024;
    private final ServerSocket listener;
    private final int target;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final AtomicLong relayed = new AtomicLong();
    private boolean cut;
    private boolean stalled;
    private boolean closed;
    private Duration delay = Duration.ZERO;

    private TcpCut(int target) throws IOException {
        this.target = target;
        listener = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
    }

    public static TcpCut before(int target) throws IOException {
        var relay = new TcpCut(target);
        Thread.ofVirtual().name("relay-" + target).start(relay::accept);
        return relay;
    }

    /** Where to connect instead of the target. */
    public int port() {
        return listener.getLocalPort();
    }

    public void cut() throws IOException {
        set(() -> cut = true);
        dropAll();
    }

    public void stall() {
        set(() -> stalled = true);
    }

    /** Each piece that passes is held back for so long, one after the other. */
    public void delay(Duration newDelay) {
        set(() -> delay = newDelay);
    }

    /** Undoes everything. */
    public void heal() {
        set(() -> {
            cut = false;
            stalled = false;
            delay = Duration.ZERO;
        });
    }

    /** Bytes that have passed, both ways together. */
    public long relayedBytes() {
        return relayed.get();
    }

    public int openConnections() {
        return sockets.size() / 2;
    }

    @Override
    public void close() throws IOException {
        set(() -> closed = true);
        listener.close();
        dropAll();
        await().atMost(Duration.ofSeconds(10)).until(sockets::isEmpty);
    }

    private void set(Runnable change) {
        lock.lock();
        try {
            change.run();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void dropAll() throws IOException {
        for (Socket socket : sockets) {
            socket.close();
        }
    }

    private void accept() {
        while (true) {
            try {
                relay(listener.accept());
            } catch (IOException e) {
                if (listener.isClosed()) {
                    return;
                }
            }
        }
    }

    private void relay(Socket client) throws IOException {
        if (isCut()) {
            client.setSoLinger(true, 0);
            client.close();
            return;
        }
        var server = new Socket();
        try {
            server.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), target));
        } catch (IOException e) {
            server.close();
            client.close();
            return;
        }
        client.setTcpNoDelay(true);
        server.setTcpNoDelay(true);
        sockets.add(client);
        sockets.add(server);
        Thread.ofVirtual().start(() -> copy(client, server));
        Thread.ofVirtual().start(() -> copy(server, client));
        if (isCut()) {
            dropAll();
        }
    }

    private void copy(Socket from, Socket to) {
        try (from;
                to) {
            var buffer = new byte[BUFFER];
            int length = from.getInputStream().read(buffer);
            while (length >= 0 && mayPass()) {
                to.getOutputStream().write(buffer, 0, length);
                relayed.addAndGet(length);
                length = from.getInputStream().read(buffer);
            }
        } catch (IOException e) {
            // One end is gone: the other follows.
        } finally {
            sockets.remove(from);
            sockets.remove(to);
        }
    }

    private boolean isCut() {
        lock.lock();
        try {
            return cut || closed;
        } finally {
            lock.unlock();
        }
    }

    /** Waits while stalled or delayed; false when the connection is to end. */
    private boolean mayPass() {
        lock.lock();
        try {
            long left = delay.toNanos();
            while (!cut && !closed && (stalled || left > 0)) {
                if (stalled) {
                    changed.await();
                } else {
                    left = changed.awaitNanos(left);
                }
            }
            return !cut && !closed;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } finally {
            lock.unlock();
        }
    }
}
