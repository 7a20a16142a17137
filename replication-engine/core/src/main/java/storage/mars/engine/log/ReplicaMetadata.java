// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * All that a replica must know to start: identity, shape, role, epoch history, positions, sync
 * state. Immutable; a new version is made by {@link #with}, and takes effect when {@link
 * MetadataStore} has it in both slots.
 *
 * @param durableKnown a position that this replica's log has durably reached at some time; a log
 *     found to end below it is damaged
 * @param logStart the lowest position that this replica's own log has ever held; it is a segment's
 *     start or inside of one
 * @param rested set by a planned stop, cleared before the log is written again: the log ends
 *     exactly at {@code durableKnown}
 * @param highestTerm the highest term this replica has ever heard of
 * @param incarnation changes whenever data acknowledged to a client may have gone back
 * @param bootId of the machine boot in which the replica last served
 */
public record ReplicaMetadata(
        Identity identity,
        List<VolumeShape> volumes,
        List<Member> members,
        Role role,
        EpochHistory history,
        long highestTerm,
        Checkpoint checkpoint,
        long durableKnown,
        long logStart,
        boolean rested,
        SyncState sync,
        long incarnation,
        @Nullable Grant grant,
        @Nullable Fork fork,
        Switches switches,
        long bootId) {

    /** What a replica is by its metadata; the codes are part of the format. */
    public enum Role {
        PRIMARY(0),
        SECONDARY(1);

        private final int code;

        Role(int code) {
            this.code = code;
        }

        int code() {
            return code;
        }
    }

    /** What never changes: of the resource, and of this replica of it. */
    public record Identity(
            long resourceId,
            String resourceName,
            int segmentBytes,
            long replicaId,
            String replicaName) {}

    public record VolumeShape(int id, String name, long sizeBytes) {}

    /**
     * Another or the own replica. The log is kept for {@code attached} members; one that was
     * dropped because the log had no more room comes back by a sync.
     */
    public record Member(long id, String name, String address, boolean attached) {}

    /** Every record below {@code position} is in the images, which were synced afterwards. */
    public record Checkpoint(long position, Chain.Link link) {}

    /**
     * How far this replica's images have been copied from another: {@code inconsistent} is durable
     * before the first block is overwritten; volumes before {@code volume} are copied whole, that
     * one up to {@code copiedBytes}; the copy holds content as new as {@code requiredPosition}, so
     * it is consistent only once the log is received up to there.
     */
    public record SyncState(
            boolean inconsistent, int volume, long copiedBytes, long requiredPosition) {

        public static final SyncState DONE = new SyncState(false, 0, 0, 0);

        public static final SyncState FROM_THE_START = new SyncState(true, 0, 0, 0);
    }

    /**
     * The right to write that this replica, a former primary, has laid down at the end of its log:
     * for one replica, or with {@code toReplica} {@link #ANYBODY} for the first that holds all of
     * it and asks.
     */
    public record Grant(long toReplica, long term) {

        public static final long ANYBODY = 0;
    }

    /**
     * Where this replica's log and that of the writer of {@code winner} part; data behind it is a
     * branch.
     */
    public record Fork(long position, EpochId winner, long winnerReplica) {}

    /**
     * What an operator has switched, and the log budget. Nothing at or behind {@code applyLimit} is
     * applied; {@link #UNLIMITED} while apply is not paused.
     */
    public record Switches(boolean shippingPaused, long applyLimit, long logBudgetBytes) {

        public static final long UNLIMITED = Long.MAX_VALUE;

        public boolean applyPaused() {
            return applyLimit != UNLIMITED;
        }
    }

    public ReplicaMetadata {
        volumes = List.copyOf(volumes);
        members = List.copyOf(members);
    }

    /** A copy with the changes that {@code change} makes to a draft of it. */
    public ReplicaMetadata with(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.finish();
    }

    /** The parts of a version in the making. */
    public static final class Draft {

        private final Identity identity;
        public List<VolumeShape> volumes;
        public List<Member> members;
        public Role role;
        public EpochHistory history;
        public long highestTerm;
        public Checkpoint checkpoint;
        public long durableKnown;
        public long logStart;
        public boolean rested;
        public SyncState sync;
        public long incarnation;
        public @Nullable Grant grant;
        public @Nullable Fork fork;
        public Switches switches;
        public long bootId;

        private Draft(ReplicaMetadata from) {
            identity = from.identity;
            volumes = from.volumes;
            members = from.members;
            role = from.role;
            history = from.history;
            highestTerm = from.highestTerm;
            checkpoint = from.checkpoint;
            durableKnown = from.durableKnown;
            logStart = from.logStart;
            rested = from.rested;
            sync = from.sync;
            incarnation = from.incarnation;
            grant = from.grant;
            fork = from.fork;
            switches = from.switches;
            bootId = from.bootId;
        }

        private ReplicaMetadata finish() {
            return new ReplicaMetadata(
                    identity,
                    volumes,
                    members,
                    role,
                    history,
                    highestTerm,
                    checkpoint,
                    durableKnown,
                    logStart,
                    rested,
                    sync,
                    incarnation,
                    grant,
                    fork,
                    switches,
                    bootId);
        }
    }
}
