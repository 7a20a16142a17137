// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import storage.mars.engine.log.MetadataStore;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.port.Shard;
import storage.mars.engine.volume.Checkpointer;

/**
 * Takes the parts of a replica and stops them by plan: the log becomes durable, the images take all
 * of it, a checkpoint says so, and the metadata say where the log ends; then the next start needs
 * to read little or nothing. Table: docs/recovery.md. One use. Owned by the shard.
 */
final class PlannedStop implements ReplicaParts.Owner {

    private static final Logger LOGGER = LoggerFactory.getLogger(PlannedStop.class);

    /** For draining and checkpointing together; clients wait for the next start meanwhile. */
    private static final long LIMIT_NANOS = 1_000_000_000L;

    private final ReplicaParts parts;
    private final MetadataStore metadata;
    private final Shard shard;
    private final String reason;
    private final Runnable done;
    private State state = State.DRAINING;
    private Shard.@Nullable Timer limit;

    enum State {
        /** The log is written, fed to the index, and written back. */
        DRAINING,
        /** The images have all; they are synced, and the checkpoint is recorded. */
        CHECKPOINTING,
        /** The end of the log is recorded. */
        RECORDING,
        /** The parts are stopped. */
        ENDED
    }

    /** {@code done} runs when nothing of the parts touches their files any more. */
    PlannedStop(
            ReplicaParts parts, MetadataStore metadata, Shard shard, String reason, Runnable done) {
        this.parts = parts;
        this.metadata = metadata;
        this.shard = shard;
        this.reason = reason;
        this.done = done;
    }

    State state() {
        return state;
    }

    void start() {
        parts.handTo(this);
        parts.exports.close(reason);
        limit = shard.schedule(LIMIT_NANOS, this::late);
        parts.builder.seal();
        parts.writer.wake();
        parts.writeBack.hurry();
        advance();
    }

    /** Goes as far as it can be gone now; back to draining when a sync of the images has failed. */
    private void advance() {
        if (state != State.DRAINING && state != State.CHECKPOINTING) {
            return;
        }
        state = isDrained() ? State.CHECKPOINTING : State.DRAINING;
        if (state == State.CHECKPOINTING) {
            Checkpointer checkpointer = parts.checkpointer;
            boolean idle = checkpointer.state() == Checkpointer.State.IDLE;
            if (idle && checkpointer.position() >= parts.feed.applied()) {
                record();
            } else {
                checkpointer.start();
            }
        }
    }

    private boolean isDrained() {
        return parts.writer.isIdle()
                && parts.feed.isCaughtUp()
                && !parts.index.isDirty()
                && !parts.writeBack.isRunning()
                && switch (parts.checkpointer.state()) {
                    case IDLE, FINDING_LINK, SYNCING, RECORDING -> true;
                    case DRAINING, REFEEDING, MAKING_ROOM, STOPPED -> false;
                };
    }

    private void late() {
        if (state == State.DRAINING || state == State.CHECKPOINTING) {
            LOGGER.atInfo()
                    .addKeyValue("state", state)
                    .addKeyValue("position", parts.checkpointer.position())
                    .log("the images have not taken all in time: the next start reads the log");
            record();
        }
    }

    /** What is still being written when the time is over was promised to nobody. */
    private void record() {
        state = State.RECORDING;
        cancelLimit();
        long durable = parts.tail.durable();
        boolean rested = parts.writer.isIdle();
        metadata.update(
                draft -> {
                    draft.durableKnown = Math.max(draft.durableKnown, durable);
                    draft.rested = rested;
                },
                failure -> end());
    }

    private void end() {
        if (state != State.ENDED) {
            state = State.ENDED;
            cancelLimit();
            parts.stop(reason, done);
        }
    }

    private void cancelLimit() {
        Shard.Timer timer = limit;
        limit = null;
        if (timer != null) {
            timer.cancel();
        }
    }

    /** The next start lets segments go; until then all that is there is kept. */
    @Override
    public long needed() {
        return 0;
    }

    @Override
    public void beforeWrite() {
        parts.builder.seal();
    }

    @Override
    public void durable(long from, long to) {
        parts.feed.advance();
        advance();
    }

    @Override
    public void fed() {
        parts.writeBack.wake();
        parts.checkpointer.refed();
        advance();
    }

    @Override
    public void wroteBack() {
        parts.checkpointer.drained();
        advance();
    }

    @Override
    public void checkpointed() {
        advance();
    }

    @Override
    public void logFailed(IoFailure failure) {
        end();
    }

    @Override
    public void logDamaged(String words) {
        end();
    }

    @Override
    public void metadataFailed(IoFailure failure) {
        end();
    }
}
