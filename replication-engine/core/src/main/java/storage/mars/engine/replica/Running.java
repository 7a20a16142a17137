// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.util.List;
import storage.mars.engine.log.Epoch;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.port.IoFailure;

/**
 * Runs the parts of an open replica: passes what they report to those who act on it, {@link
 * Writership} or {@link Following}, and has checkpoints taken in time. Owned by the shard.
 */
final class Running implements ReplicaParts.Owner {

    private static final long CHECKPOINT_NANOS = 20_000_000_000L;
    private static final long MAX_CHECKPOINT_BYTES = 512L << 20;

    private final Replica replica;
    private final ReplicaParts parts;
    private long lastCheckpointNanos;
    private boolean ended;

    Running(Replica replica, ReplicaParts parts) {
        this.replica = replica;
        this.parts = parts;
        lastCheckpointNanos = replica.ports.clock().nanoTime();
    }

    void start() {
        parts.handTo(this);
        parts.writeBack.wake();
        parts.tail.whenRoom(() -> replica.ports.shard().execute(this::room));
        parts.segments.onStall(this::makeSpace);
    }

    /** Somebody else has the parts, or they have ended. */
    void end() {
        ended = true;
    }

    @Override
    public long needed() {
        ReplicaMetadata.Fork fork = replica.current().fork();
        long branch = fork == null ? Long.MAX_VALUE : fork.position();
        if (!replica.isPrimary() && parts.segments.stall() != null) {
            return branch;
        }
        return Math.min(branch, replica.members().slowest(parts.segments.start()));
    }

    // Time

    void tick() {
        replica.lag.sample(parts.tail.durable(), replica.ports.clock().nanoTime());
        replica.writership().tick();
        replica.following().tick();
        if (!ended) {
            parts.checkpointer.releaseSegments();
            checkpointIfDue();
            parts.tail.releaseIdleMemory();
            parts.index.trimWhenIdle();
        }
    }

    private void checkpointIfDue() {
        long now = replica.ports.clock().nanoTime();
        if (isFarFromCheckpoint() || now - lastCheckpointNanos >= CHECKPOINT_NANOS) {
            lastCheckpointNanos = now;
            parts.checkpointer.start();
            parts.segments.trim();
        }
    }

    /**
     * Each checkpoint syncs the images, which competes with the log for the disk; a long way
     * between them costs time at recovery, room in the log, and epochs that cannot be forgotten.
     */
    private boolean isFarFromCheckpoint() {
        long distance = Math.min(MAX_CHECKPOINT_BYTES, parts.segments.budgetBytes() / 4);
        return parts.checkpointer.isFar(distance) || epochsAreMany();
    }

    /** Whether a start after a crash would read more epochs than are kept. */
    private boolean epochsAreMany() {
        List<Epoch> epochs = replica.current().history().epochs();
        int more = epochs.size() - replica.settings.epochsKept();
        return more > 0 && epochs.get(more - 1).end() >= parts.checkpointer.position();
    }

    // What the parts report

    @Override
    public void beforeWrite() {
        parts.builder.seal();
    }

    @Override
    public void durable(long from, long to) {
        parts.feed.advance();
        if (replica.isPrimary()) {
            parts.exports.durable(to);
            replica.writership().durable(to);
        } else {
            replica.following().durable(to);
        }
        replica.lag.sample(to, replica.ports.clock().nanoTime());
        replica.members().logGrew();
    }

    @Override
    public void logFailed(IoFailure failure) {
        replica.fail("the log cannot be written: " + failure.message());
    }

    @Override
    public void fed() {
        parts.writeBack.wake();
        parts.checkpointer.refed();
        replica.writership().fed();
    }

    @Override
    public void logDamaged(String reason) {
        replica.fail("the log cannot be read: " + reason);
    }

    @Override
    public void wroteBack() {
        parts.checkpointer.drained();
        if (isFarFromCheckpoint()) {
            parts.checkpointer.start();
        }
        room();
    }

    /** Index, window or prepared log may have room again. */
    private void room() {
        if (!ended) {
            replica.writership().retry();
            parts.exports.roomAppeared();
            replica.following().room();
        }
    }

    @Override
    public void checkpointed() {
        makeSpace();
        room();
    }

    /** No segment can be prepared: lets go of what holds the log back. */
    private void makeSpace() {
        if (!ended) {
            replica.talk().memberList().makeSpace();
        }
    }

    @Override
    public void metadataFailed(IoFailure failure) {
        replica.metadataFailed(failure);
    }
}
