// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import storage.mars.engine.log.FrameView;
import storage.mars.engine.testkit.schedule.SimFailure;

/**
 * What every frame that was ever written to any log of a resource is: the same position and epoch
 * means the same bytes on every replica, and whoever is not its writer gets it only after it has
 * been proven durable somewhere.
 */
final class LogLedger {

    private record Key(long position, long epoch) {}

    /** What the checksum of a descriptor stands for, and who wrote it first. */
    private record Known(String writer, long fingerprint) {}

    private static final int DESCRIPTOR = 4096;

    private final Map<Key, Known> frames = new HashMap<>();
    private final Set<Key> durable = new HashSet<>();

    /** That machine writes the frame to its log. */
    void written(String machine, FrameView frame) {
        Key key = new Key(frame.position(), frame.epochId());
        long fingerprint = fingerprint(frame);
        Known known = frames.putIfAbsent(key, new Known(machine, fingerprint));
        if (known == null) {
            return;
        }
        if (known.fingerprint != fingerprint) {
            throw new SimFailure(
                    machine
                            + " writes another frame at "
                            + key
                            + " than "
                            + known.writer
                            + " did: an epoch has been continued");
        }
        boolean copied = !known.writer.equals(machine);
        if (copied && !durable.contains(key)) {
            throw new SimFailure(
                    machine + " got the frame at " + key + " before it was durable anywhere");
        }
    }

    /** A sync of some machine has proven that the frame is durable there. */
    void durable(FrameView frame) {
        durable.add(new Key(frame.position(), frame.epochId()));
    }

    /** Everything in the descriptor but its zeros; the payload's checksums are in there. */
    private static long fingerprint(FrameView frame) {
        long hash = 0;
        for (int i = 0; i < DESCRIPTOR; i += Long.BYTES) {
            hash = hash * 0x9E3779B97F4A7C15L + frame.buffer().getLong(frame.offset() + i);
        }
        return hash;
    }
}
