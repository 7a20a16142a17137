// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

/**
 * What a replica is doing. The transitions and what each event means in each state are in
 * docs/roles.md; {@link #name} is what status shows.
 */
public sealed interface ReplicaState {

    /** Name of {@link Recovering}, as members hear it. */
    String RECOVERING = Recovering.class.getSimpleName();

    default String name() {
        return getClass().getSimpleName();
    }

    /** Why it is in this state, for the operator; empty when that goes without saying. */
    default String reason() {
        return "";
    }

    /** Name and reason, behind "it is". */
    default String describe() {
        return reason().isEmpty() ? name() : name() + ": " + reason();
    }

    /** Reads metadata, log and images. */
    record Recovering() implements ReplicaState {}

    /**
     * A primary that has started asks its members before it goes on, until {@code deadlineNanos}.
     */
    record Meeting(long deadlineNanos) implements ReplicaState {}

    /** Writes the first record of a new epoch. */
    record StartingEpoch() implements ReplicaState {}

    /** A primary that accepts writes. */
    record Serving() implements ReplicaState {}

    /** A primary that gives its role away; nothing is admitted any more. */
    record HandingOver(long target, String targetName, long end, long deadlineNanos)
            implements ReplicaState {

        /** The END record is not written yet. */
        static final long NO_END = Long.MAX_VALUE;

        boolean hasEnd() {
            return end != NO_END;
        }

        @Override
        public String reason() {
            return "the role goes to " + targetName;
        }
    }

    /** Pulls the log, or waits for somebody to pull it from. */
    record Secondary() implements ReplicaState {}

    /** A secondary that has asked for the role. */
    record Promoting(long supersedes, long deadlineNanos) implements ReplicaState {}

    /** Storage has failed for good: nothing is promised or accepted any more. */
    record Failed(String reason) implements ReplicaState {}

    /** What is on disk is not what had been durable; nothing is touched. */
    record Corrupt(String reason) implements ReplicaState {}

    /**
     * A member has received more than this primary has kept; nothing is served before somebody
     * decides.
     */
    record DurableLoss(String reason) implements ReplicaState {}

    /** The files of this replica are being removed, or it has been stopped. */
    record Closed() implements ReplicaState {}
}
