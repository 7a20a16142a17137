// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.time.Duration;

/**
 * Waits for threads to end, whatever interrupts the waiting one; I/O threads are never interrupted.
 */
final class Joining {

    private Joining() {}

    static boolean await(Thread thread, Duration limit) {
        boolean interrupted = false;
        long end = System.nanoTime() + limit.toNanos();
        while (thread.isAlive() && end - System.nanoTime() > 0) {
            try {
                thread.join(Duration.ofNanos(Math.max(1, end - System.nanoTime())));
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return !thread.isAlive();
    }
}
