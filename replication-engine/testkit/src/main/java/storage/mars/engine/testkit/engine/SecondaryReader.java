// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.export.Attachment;
import storage.mars.engine.export.AttachmentListener;
import storage.mars.engine.export.BlockRequest;
import storage.mars.engine.export.Exports;
import storage.mars.engine.export.Outcome;
import storage.mars.engine.replica.ReplicaStatus;
import storage.mars.engine.testkit.oracle.PrefixChecker;
import storage.mars.engine.testkit.schedule.SimRandom;

/**
 * A client of a secondary: what it reads is what the primary's log makes of the volume at some
 * position between those that the secondary had received before and after.
 */
final class SecondaryReader implements AttachmentListener {

    private static final int BLOCK = 4096;
    private static final int MOST_BLOCKS = 8;

    private final SimEngine engine;
    private final PrefixChecker checker;
    private final SimRandom random;
    private final long volumeBytes;
    private @Nullable Attachment attachment;
    private boolean lagging;
    private int life;
    private long judged;

    SecondaryReader(SimEngine engine, PrefixChecker checker, SimRandom random, long volumeBytes) {
        this.engine = engine;
        this.checker = checker;
        this.random = random;
        this.volumeBytes = volumeBytes;
    }

    long judged() {
        return judged;
    }

    /** Reads something, on the shard, when there is something to be read. */
    void act() {
        if (life != engine.machine().starts()) {
            life = engine.machine().starts();
            attachment = null;
        }
        Exports.Target target = engine.target();
        if (target != null) {
            target.shard().execute(() -> read(target));
        }
    }

    private void read(Exports.Target target) {
        if (attachment == null
                && target.attach("reader", this)
                        instanceof Exports.Attached.Accepted(Attachment accepted)) {
            attachment = accepted;
        }
        Attachment present = attachment;
        if (present != null && isWhole()) {
            present.submit(new Read());
        }
    }

    /** Apply may be paused: then it is behind what was received, nobody says how far. */
    private boolean isWhole() {
        ReplicaStatus.Known known = engine.isIn("Secondary") ? engine.known() : null;
        return known != null && known.consistent() && !known.applyPaused();
    }

    /** Apply has been paused, perhaps, and may still be behind what was received. */
    void mayLag() {
        lagging = true;
    }

    private long applied() {
        return engine.known().positions().applied();
    }

    private long received() {
        return engine.known().positions().received();
    }

    private final class Read extends BlockRequest {

        private final ByteBuffer room;
        private final long from;

        Read() {
            int blocks = (int) random.between(1, MOST_BLOCKS);
            room = ByteBuffer.allocateDirect(blocks * BLOCK);
            op = Op.READ;
            offset = random.below(volumeBytes / BLOCK - blocks + 1) * BLOCK;
            length = room.capacity();
            data = room;
            from = lagging || engine.isIndexSmall() ? applied() : received();
        }

        @Override
        protected void completed(Outcome outcome) {
            if (outcome == Outcome.OK && isWhole()) {
                byte[] read = new byte[room.capacity()];
                room.get(0, read);
                checker.between(from, received(), 0, offset, read);
                judged++;
            }
        }
    }

    @Override
    public void checkAlive() {}

    @Override
    public void exportClosing(String reason) {
        Attachment present = attachment;
        attachment = null;
        if (present != null) {
            present.close();
        }
    }
}
