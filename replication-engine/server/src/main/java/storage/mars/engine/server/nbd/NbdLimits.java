// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import java.time.Duration;

/** What the server grants its clients. */
public record NbdLimits(Clients clients, Options options, Requests requests) {

    private static final int MIB = 1 << 20;

    /** What every server grants, with room for a thousand exports. */
    public static NbdLimits defaults() {
        return new NbdLimits(
                new Clients(4096, 100, 1024, 100, Duration.ofSeconds(60), Duration.ofSeconds(2)),
                new Options(256, 64 << 10, MIB, Duration.ofSeconds(10)),
                new Requests(1024, 64 * MIB, 32 * MIB, 64 * MIB, 128L * MIB));
    }

    /**
     * Connections: all, of one export, from one address, and those that have not chosen an export
     * yet (above it the oldest of them gives way). A client that takes or sends nothing for {@code
     * stuck} in the middle of a message is cut off; {@code farewell} is how long its end of the
     * connection is awaited after ours has ended.
     */
    public record Clients(
            int total,
            int perExport,
            int perAddress,
            int handshaking,
            Duration stuck,
            Duration farewell) {}

    /**
     * One handshake: options, bytes of option data that are parsed, bytes of unknown option data
     * that are skipped, and the time for all of it.
     */
    public record Options(int count, int parsedBytes, int skippedBytes, Duration time) {}

    /**
     * One connection's requests and bytes in flight, replies included; the largest payload; the
     * longest refused WRITE whose payload is read and dropped; and the bytes in flight of a whole
     * shard, of which one export takes half.
     */
    public record Requests(
            int inFlight, int bytesInFlight, int payloadBytes, int skippedBytes, long budgetBytes) {

        public Requests {
            if (budgetBytes < 2L * payloadBytes) {
                throw new IllegalArgumentException(
                        "budgetBytes " + budgetBytes + " is below twice payloadBytes");
            }
        }
    }
}
