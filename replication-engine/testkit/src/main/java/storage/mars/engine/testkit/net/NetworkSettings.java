// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.net;

/**
 * How links behave: range of latencies, bytes per second of each direction (0: as many as you
 * like), how many dials in a million fail, bytes waiting above which a link is not writable, how
 * long a dial into the void takes, how late an end is noticed, and how long silence lasts before it
 * counts as one.
 */
public record NetworkSettings(
        long minLatencyNanos,
        long maxLatencyNanos,
        long bytesPerSecond,
        int dialFailuresPerMillion,
        int writableBytes,
        long dialTimeoutNanos,
        long closeNoticeNanos,
        long silenceNanos) {

    private static final long MILLISECOND = 1_000_000;

    public NetworkSettings {
        if (minLatencyNanos < 0 || maxLatencyNanos < minLatencyNanos || bytesPerSecond < 0) {
            throw new IllegalArgumentException("latency or bandwidth");
        }
    }

    /** A network near by that fails now and then. */
    public static NetworkSettings local() {
        return new NetworkSettings(
                20_000,
                2 * MILLISECOND,
                0,
                10_000,
                1 << 20,
                5_000 * MILLISECOND,
                500 * MILLISECOND,
                20_000 * MILLISECOND);
    }

    /** The same with another range of latencies. */
    public NetworkSettings withLatency(long minNanos, long maxNanos) {
        return new NetworkSettings(
                minNanos,
                maxNanos,
                bytesPerSecond,
                dialFailuresPerMillion,
                writableBytes,
                dialTimeoutNanos,
                closeNoticeNanos,
                silenceNanos);
    }

    /** The same with another bandwidth. */
    public NetworkSettings withBytesPerSecond(long bytes) {
        return new NetworkSettings(
                minLatencyNanos,
                maxLatencyNanos,
                bytes,
                dialFailuresPerMillion,
                writableBytes,
                dialTimeoutNanos,
                closeNoticeNanos,
                silenceNanos);
    }

    /** The same with another rate of failing dials. */
    public NetworkSettings withDialFailures(int perMillion) {
        return new NetworkSettings(
                minLatencyNanos,
                maxLatencyNanos,
                bytesPerSecond,
                perMillion,
                writableBytes,
                dialTimeoutNanos,
                closeNoticeNanos,
                silenceNanos);
    }
}
