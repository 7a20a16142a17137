// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.app;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The parts of an engine that run, ended in the opposite order. Used by one thread. */
final class StartedParts {

    private static final Logger LOGGER = LoggerFactory.getLogger(StartedParts.class);

    private final Deque<Part> started = new ArrayDeque<>();

    private record Part(String name, boolean afterAll, Stop stop) {}

    /** Ends a part and says whether it has ended. */
    @FunctionalInterface
    interface Stop {

        boolean ended();
    }

    void begun(String name, Stop stop) {
        started.addLast(new Part(name, false, stop));
    }

    /**
     * What protects everything that begins after it: when a part of that is left behind, it stays
     * until the process has ended.
     */
    void onlyWhenTheRestHasEnded(String name, Stop stop) {
        started.addLast(new Part(name, true, stop));
    }

    /** Ends all of them. */
    void stop() {
        boolean all = true;
        while (!started.isEmpty()) {
            Part part = started.removeLast();
            if (part.afterAll && !all) {
                LOGGER.warn("{}: kept until this process has ended", part.name);
            } else if (!part.stop.ended()) {
                LOGGER.warn("{}: not ended in time, left behind", part.name);
                all = false;
            }
        }
    }
}
