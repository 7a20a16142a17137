// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli.output;

import storage.mars.engine.api.v1.Member;
import storage.mars.engine.api.v1.Sync;
import storage.mars.engine.cli.unit.ByteSize;
import storage.mars.engine.cli.unit.TimeSpan;

/** How far the sync of a member is, in words. */
final class SyncProgress {

    private SyncProgress() {}

    static String of(Member member) {
        if (!member.hasSync()) {
            return member.getDetached() ? "detached" : "-";
        }
        Sync sync = member.getSync();
        var words = new StringBuilder(sync.getState());
        if (sync.getTotalBytes() > 0) {
            words.append(' ').append(percent(sync)).append(" % of ");
            words.append(new ByteSize(sync.getTotalBytes()));
        }
        if (sync.hasEtaSeconds()) {
            words.append(", ").append(TimeSpan.ofSeconds(sync.getEtaSeconds())).append(" left");
        }
        return words.toString();
    }

    /** Rounded down: 100 is said of nothing that is not complete. */
    private static long percent(Sync sync) {
        return (long) Math.floor(100.0 * sync.getDoneBytes() / sync.getTotalBytes());
    }
}
