// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import io.netty.util.concurrent.FastThreadLocalThread;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/** Daemon threads named by prefix and number from 0. */
final class NumberedThreads implements ThreadFactory {

    private final String prefix;
    private final AtomicInteger next = new AtomicInteger();

    NumberedThreads(String prefix) {
        this.prefix = prefix;
    }

    @Override
    public Thread newThread(Runnable task) {
        Thread thread = new FastThreadLocalThread(task, prefix + next.getAndIncrement());
        thread.setDaemon(true);
        return thread;
    }
}
