// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.time.Instant;
import storage.mars.engine.port.Clock;

/** The machine's clocks. Callable from any thread. */
public final class SystemClock implements Clock {

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    public long wallMicros() {
        Instant now = Instant.now();
        return now.getEpochSecond() * 1_000_000L + now.getNano() / 1_000;
    }
}
