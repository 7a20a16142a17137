// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e.load;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.core.ConditionTimeoutException;
import org.jspecify.annotations.Nullable;
import storage.mars.e2e.nbd.NbdAddress;
import storage.mars.e2e.nbd.NbdConnection;
import storage.mars.e2e.nbd.NbdErrorException;

/**
 * A connection that outlives its server: what was not answered is sent again on the next one. An
 * answer that is an error is not retried.
 */
final class Reconnecting implements AutoCloseable {
    private static final Duration PAUSE = Duration.ofMillis(20);
    private final NbdAddress address;
    private final String export;
    private final Duration patience;
    private final AtomicLong reconnections = new AtomicLong();
    private @Nullable NbdConnection current;
    private volatile boolean closed;

    Reconnecting(NbdAddress address, String export, Duration patience) {
        this.address = address;
        this.export = export;
        this.patience = patience;
    }

    /** One request, which may be sent more than once. */
    interface Request {
        void send(NbdConnection connection) throws IOException;
    }

    void call(Request request) throws IOException {
        long deadline = System.nanoTime() + patience.toNanos();
        while (true) {
            NbdConnection connection = connection();
            try {
                request.send(connection);
                return;
            } catch (NbdErrorException answer) {
                throw answer;
            } catch (IOException lost) {
                drop(connection);
                if (System.nanoTime() > deadline) {
                    throw lost;
                }
            }
        }
    }

    long reconnections() {
        return reconnections.get();
    }

    @Override
    public void close() throws IOException {
        closed = true;
        synchronized (this) {
            if (current != null) {
                current.disconnect();
            }
        }
    }

    private synchronized NbdConnection connection() throws IOException {
        if (closed) {
            throw new IOException("closed");
        }
        NbdConnection live = current;
        if (live == null) {
            live = dial();
            current = live;
        }
        return live;
    }

    private NbdConnection dial() throws IOException {
        try {
            return await().atMost(patience)
                    .pollDelay(Duration.ZERO)
                    .pollInterval(PAUSE)
                    .ignoreExceptionsInstanceOf(IOException.class)
                    .until(this::openUnlessClosed, opened -> true);
        } catch (ClosedByUs e) {
            throw new IOException("closed while dialling", e);
        } catch (ConditionTimeoutException e) {
            throw new IOException(
                    "no connection to " + address.uri(export) + " for " + patience, e);
        }
    }

    private NbdConnection openUnlessClosed() throws IOException {
        if (closed) {
            throw new ClosedByUs();
        }
        return NbdConnection.open(address, export);
    }

    private synchronized void drop(NbdConnection dead) throws IOException {
        if (dead.equals(current)) {
            dead.close();
            current = null;
            reconnections.incrementAndGet();
        }
    }

    private static final class ClosedByUs extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }
}
