// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.control;

import java.util.HashMap;
import java.util.Map;
import java.util.OptionalDouble;
import storage.mars.engine.replica.ReplicaStatus.Sync;

/** How fast the syncs that somebody looks at go on. Owned by the control thread. */
final class SyncRates {

    /** A rate over less says nothing yet. */
    private static final double LEAST_SECONDS = 0.5;

    /** After so long a rate is measured afresh, so that it follows the present speed. */
    private static final double MOST_SECONDS = 30;

    private record Key(String resource, long member) {}

    private record Sample(long doneBytes, long nanos) {}

    private final Map<Key, Sample> begun = new HashMap<>();

    /** Empty while the rate is not known. */
    OptionalDouble secondsLeft(String resource, long member, Sync sync, long nanos) {
        Key key = new Key(resource, member);
        Sample first = begun.computeIfAbsent(key, k -> new Sample(sync.doneBytes(), nanos));
        double seconds = (nanos - first.nanos()) / 1e9;
        long bytes = sync.doneBytes() - first.doneBytes();
        if (bytes < 0 || seconds > MOST_SECONDS) {
            begun.put(key, new Sample(sync.doneBytes(), nanos));
        }
        if (bytes <= 0 || seconds < LEAST_SECONDS) {
            return OptionalDouble.empty();
        }
        long left = Math.max(0, sync.totalBytes() - sync.doneBytes());
        return OptionalDouble.of(left * seconds / bytes);
    }

    void forget(String resource, long member) {
        begun.remove(new Key(resource, member));
    }
}
