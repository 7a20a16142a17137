// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.time.Duration;

/**
 * What an engine gives to each of its replicas.
 *
 * @param engineName of this engine, unique among the members of a resource
 * @param advertise address at which other engines reach it
 * @param bootId of the machine: differs after a reboot
 * @param segmentBytes of new resources
 * @param maxIndexBlocks blocks and zero ranges that may be in the logs but not in the images, of
 *     all resources of a shard together
 * @param peerWaitSameBoot how long a restarted primary waits for its members' answers
 * @param peerWaitNewBoot the same after a reboot of the machine
 * @param epochsKept a history of more epochs loses those that nobody needs
 */
public record ReplicaSettings(
        String engineName,
        String advertise,
        long bootId,
        int segmentBytes,
        int maxIndexBlocks,
        Duration peerWaitSameBoot,
        Duration peerWaitNewBoot,
        int epochsKept) {

    public static final int DEFAULT_EPOCHS_KEPT = 64;

    public static final long DEFAULT_LOG_BUDGET = 8L << 30;

    public ReplicaSettings {
        if (!engineName.matches("[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")) {
            throw new IllegalArgumentException(
                    "engine name '" + engineName + "' is not a DNS-like name");
        }
    }

    Duration peerWait(long lastBootId) {
        return lastBootId == bootId ? peerWaitSameBoot : peerWaitNewBoot;
    }
}
