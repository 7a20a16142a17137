// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.workload;

import storage.mars.engine.export.BlockRequest.Op;
import storage.mars.engine.testkit.schedule.SimRandom;

/** Draws what a client asks for: any kind, size and place, many of them where others are too. */
final class RequestMix {

    private static final int BLOCK = 4096;
    private static final int HOT_BLOCKS = 12;

    private final WorkloadSettings settings;
    private final SimRandom random;

    RequestMix(WorkloadSettings settings, SimRandom random) {
        this.settings = settings;
        this.random = random;
    }

    /** Fills in kind, range and flags. */
    void fill(ClientRequest request, long volumeBytes) {
        request.op = kind(random.below(100));
        long length = length(volumeBytes);
        long offset = offset(volumeBytes, length);
        if (random.chance(settings.unalignedPercent(), 100)) {
            length = Math.max(1, length - random.below(Math.min(length, BLOCK)));
            offset = Math.min(volumeBytes - length, offset + random.below(BLOCK));
        }
        boolean whole = request.op == Op.FLUSH;
        request.offset = whole ? 0 : offset;
        request.length = whole ? 0 : length;
        boolean changes = request.op == Op.WRITE || request.op == Op.TRIM || request.op == Op.ZERO;
        request.forceUnitAccess = changes && random.chance(settings.forcedPercent(), 100);
    }

    private Op kind(int drawn) {
        int left = drawn - settings.writePercent();
        if (left < 0) {
            return Op.WRITE;
        }
        left -= settings.readPercent();
        if (left < 0) {
            return Op.READ;
        }
        left -= settings.zeroPercent();
        if (left < 0) {
            return random.chance(1, 2) ? Op.TRIM : Op.ZERO;
        }
        return switch (left % 4) {
            case 0 -> Op.CACHE;
            case 1 -> Op.BLOCK_STATUS;
            default -> Op.FLUSH;
        };
    }

    private long length(long volumeBytes) {
        long most = Math.min(settings.maxLength(), volumeBytes) / BLOCK;
        long blocks = random.chance(3, 4) ? random.between(1, Math.min(4, most)) : 1;
        if (random.chance(1, 16)) {
            blocks = random.between(1, most);
        }
        return blocks * BLOCK;
    }

    private long offset(long volumeBytes, long length) {
        long room = (volumeBytes - length) / BLOCK;
        long blocks = random.chance(1, 2) ? Math.min(room, HOT_BLOCKS) : room;
        return random.below(blocks + 1) * BLOCK;
    }
}
