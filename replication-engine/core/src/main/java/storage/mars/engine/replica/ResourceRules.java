// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.Blocks;
import storage.mars.engine.log.LogFormat;
import storage.mars.engine.log.ReplicaMetadata.VolumeShape;
import storage.mars.engine.replication.PeerMessage.JoinAccepted;

/** What a new resource may look like. */
final class ResourceRules {

    private static final String NAME = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
    private static final int MAX_VOLUMES = 16;
    private static final long MAX_BYTES = 1L << 56;

    private ResourceRules() {}

    static boolean isName(String name) {
        return name.matches(NAME);
    }

    static @Nullable Refusal check(
            String name, List<VolumeShape> volumes, long budget, long segmentBytes) {
        String what = name + " is not created";
        if (!name.matches(NAME)) {
            return badName(what);
        }
        if (volumes.isEmpty() || volumes.size() > MAX_VOLUMES) {
            return Refusal.invalid(
                    what,
                    "a resource has 1 to " + MAX_VOLUMES + " volumes, not " + volumes.size(),
                    NextStep.advice("name them with --volume NAME:SIZE"));
        }
        Set<String> names = new HashSet<>();
        for (VolumeShape volume : volumes) {
            if (!volume.name().matches(NAME) || !names.add(volume.name())) {
                return Refusal.invalid(
                        what,
                        "volume name '" + volume.name() + "' is not valid, or is used twice",
                        NextStep.advice(
                                "give each volume a name of its own, of a-z, 0-9 and '-' inside"));
            }
            if (volume.sizeBytes() <= 0
                    || volume.sizeBytes() > MAX_BYTES
                    || !Blocks.aligned(volume.sizeBytes())) {
                return Refusal.invalid(
                        what,
                        "volume "
                                + volume.name()
                                + " of "
                                + volume.sizeBytes()
                                + " bytes: a size is a multiple of 4096 up to 64 PiB",
                        NextStep.advice(
                                "write --volume "
                                        + volume.name()
                                        + ":"
                                        + nearestSize(volume.sizeBytes())));
            }
        }
        long least = 3L * segmentBytes;
        if (budget != 0 && budget < least) {
            return Refusal.invalid(
                    what,
                    "a log budget of "
                            + budget
                            + " bytes is less than the "
                            + least
                            + " of three segments",
                    NextStep.advice("write --log-budget " + least + " or more, or leave it out"));
        }
        return null;
    }

    static Refusal badName(String what) {
        return Refusal.invalid(
                what,
                "a resource's name has 1 to 63 letters a-z, digits and '-' inside",
                NextStep.advice("choose such a name, for example shop-1"));
    }

    /** A size that is allowed, the next above where there is one. */
    private static long nearestSize(long bytes) {
        return Blocks.ceil(Math.clamp(bytes, 1, MAX_BYTES));
    }

    /**
     * Whether what a primary says of its resource is one that this engine can hold a replica of.
     */
    static @Nullable Refusal checkJoined(String name, JoinAccepted answer) {
        int segment = answer.segmentBytes();
        boolean size = segment >= LogFormat.MIN_SEGMENT && Integer.bitCount(segment) == 1;
        boolean numbered =
                answer.volumes().stream().allMatch(volume -> volume.id() < MAX_VOLUMES)
                        && answer.volumes().stream().map(VolumeShape::id).distinct().count()
                                == answer.volumes().size();
        if (!size || !numbered || !answer.resourceName().equals(name)) {
            return Refusal.invalid(
                    name + " is not joined",
                    "its primary describes it impossibly",
                    NextStep.advice("run the same version of mars-engine on all members"));
        }
        return check(name, answer.volumes(), 0, 0L);
    }

    static String describe(List<VolumeShape> volumes) {
        return String.join(
                ", ", volumes.stream().map(v -> v.name() + ":" + v.sizeBytes()).toList());
    }
}
