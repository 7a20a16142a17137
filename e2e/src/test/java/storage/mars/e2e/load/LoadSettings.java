// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e.load;

import java.nio.file.Path;
import java.time.Duration;
import storage.mars.e2e.nbd.NbdAddress;

/**
 * What a load client does. {@code patience} bounds how long one request may take, dead servers and
 * reconnections included.
 */
public record LoadSettings(
        NbdAddress address,
        String export,
        int connections,
        int depth,
        int blocks,
        int flushEvery,
        Duration patience,
        Path journal) {

    public LoadSettings {
        if (connections < 1 || depth < connections || blocks < 2 * depth || flushEvery < 1) {
            throw new IllegalArgumentException(
                    "connections %d, depth %d, blocks %d, flushEvery %d"
                            .formatted(connections, depth, blocks, flushEvery));
        }
    }

    public static LoadSettings of(NbdAddress address, String export, Path journal) {
        return new LoadSettings(address, export, 2, 16, 4096, 64, Duration.ofSeconds(60), journal);
    }

    /** One request at a time: what is written has one order, known exactly. */
    public LoadSettings sequential() {
        return withDepth(1, 1);
    }

    public LoadSettings withDepth(int newConnections, int newDepth) {
        return new LoadSettings(
                address, export, newConnections, newDepth, blocks, flushEvery, patience, journal);
    }

    public LoadSettings withBlocks(int newBlocks) {
        return new LoadSettings(
                address, export, connections, depth, newBlocks, flushEvery, patience, journal);
    }

    public LoadSettings withPatience(Duration newPatience) {
        return new LoadSettings(
                address, export, connections, depth, blocks, flushEvery, newPatience, journal);
    }
}
