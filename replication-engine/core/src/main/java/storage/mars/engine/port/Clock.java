// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.port;

/** The two notions of time that the engine has. */
public interface Clock {

    /** Monotonic time in nanoseconds; only differences mean anything. */
    long nanoTime();

    /**
     * Wall clock in microseconds since the Unix epoch; may jump, is only reported, never decided
     * on.
     */
    long wallMicros();
}
