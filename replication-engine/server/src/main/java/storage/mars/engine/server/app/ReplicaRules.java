// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.app;

import java.time.Duration;
import storage.mars.engine.replica.ReplicaSettings;
import storage.mars.engine.server.config.EngineSettings;
import storage.mars.engine.server.config.PeerWait;

/** What the command line means for the replicas of this engine. */
final class ReplicaRules {

    /** Long enough to outlive the machine, short enough to be counted in nanoseconds. */
    private static final Duration FOREVER = Duration.ofDays(3650);

    private ReplicaRules() {}

    static ReplicaSettings of(EngineSettings settings, long bootId) {
        return new ReplicaSettings(
                settings.name(),
                settings.advertise().toString(),
                bootId,
                settings.tuning().segmentBytes(),
                settings.tuning().maxIndexBlocks() / settings.shards(),
                wait(settings.peerWait(), PeerWait.Automatic.SAME_BOOT),
                wait(settings.peerWait(), PeerWait.Automatic.OTHER_BOOT),
                ReplicaSettings.DEFAULT_EPOCHS_KEPT);
    }

    private static Duration wait(PeerWait wait, Duration automatic) {
        return switch (wait) {
            case PeerWait.Automatic a -> automatic;
            case PeerWait.Forever f -> FOREVER;
            case PeerWait.For limited -> limited.limit();
        };
    }
}
