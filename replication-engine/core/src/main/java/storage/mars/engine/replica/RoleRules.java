// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.EpochId;
import storage.mars.engine.replication.PeerMessage.Hello;

/**
 * What follows from meeting a member, for roles and histories: a pure function of what both know.
 * The table is docs/roles.md. A larger term always wins; nobody yields at equal terms; a history is
 * followed only by a replica whose own is a prefix of it.
 */
final class RoleRules {

    private RoleRules() {}

    /** What this replica knows of itself. */
    record Own(boolean primary, long replicaId, EpochHistory history, long end, long highestTerm) {

        long term() {
            return history.lastId().term();
        }
    }

    /** What follows. */
    sealed interface Verdict {

        /** Nothing that concerns roles or logs. */
        record Nothing() implements Verdict {}

        /** This replica is an old primary, of an older term than is known: it stops being one. */
        record Fence(long term) implements Verdict {}

        /**
         * Both write in the same term; everybody stays with their writer until somebody decides.
         */
        record SplitBrain(long forkPoint) implements Verdict {}

        /** The member has received more of this primary's log than this primary has kept. */
        record DurableLoss(long kept, long received) implements Verdict {}

        /** The member is a primary of an older term than one that is known: not to be followed. */
        record Outdated() implements Verdict {}

        /**
         * The member is the primary of this replica's last epoch, but holds it only up to {@code
         * kept}: old news, or it has lost something. Nothing is pulled from it, nothing cut here.
         */
        record Ahead(long kept) implements Verdict {}

        /** The member is the primary, and this replica's log a prefix of its log. */
        record Follow() implements Verdict {}

        /**
         * The member is the primary, and this replica's log goes on differently behind {@code
         * forkPoint}.
         */
        record Forked(long forkPoint, EpochId winner) implements Verdict {}

        /** The member is the primary of a log that has nothing in common with this one. */
        record Unrelated() implements Verdict {}
    }

    static Verdict judge(Own own, Hello member) {
        return own.primary() ? asPrimary(own, member) : asSecondary(own, member);
    }

    private static Verdict asPrimary(Own own, Hello member) {
        long heard = Math.max(member.highestTerm(), own.highestTerm());
        long writing = own.history().isEmpty() ? own.highestTerm() : own.term();
        if (heard > writing) {
            return new Verdict.Fence(heard);
        }
        long common = own.history().commonEnd(own.end(), member.history(), member.durable());
        if (member.primary() && rivals(own, member)) {
            return new Verdict.SplitBrain(common);
        }
        boolean lost =
                common == own.end() && member.durable() > own.end() && knowsLastEpoch(member, own);
        return lost ? new Verdict.DurableLoss(own.end(), member.durable()) : new Verdict.Nothing();
    }

    /** Whether this log and the member's come from different writers in one and the same term. */
    private static boolean rivals(Own own, Hello member) {
        return !own.history().isEmpty()
                && !member.history().isEmpty()
                && member.history().lastId().term() == own.term()
                && member.history().last().writer() != own.history().last().writer();
    }

    /** It may also know of later ones: this primary has gone back behind a restart of its own. */
    private static boolean knowsLastEpoch(Hello member, Own own) {
        long last = own.history().lastId().id();
        return !own.history().isEmpty()
                && member.history().epochs().stream().anyMatch(epoch -> epoch.id().id() == last);
    }

    /**
     * Whether the log of that member is the one to follow: a primary's, or of one that has laid
     * down the role.
     */
    static boolean holdsRole(Hello member) {
        return member.primary() || member.openTerm() > 0;
    }

    private static Verdict asSecondary(Own own, Hello member) {
        if (!holdsRole(member)) {
            return new Verdict.Nothing();
        }
        if (member.history().lastId().term() < own.highestTerm()) {
            return new Verdict.Outdated();
        }
        // Where its last epoch is open it goes on: how far it is now is no fork.
        long theirs = member.history().isEmpty() ? 0 : Long.MAX_VALUE;
        long common = own.history().commonEnd(own.end(), member.history(), theirs);
        if (rivals(own, member)) {
            return new Verdict.SplitBrain(common);
        }
        if (common == EpochHistory.UNRELATED) {
            return new Verdict.Unrelated();
        }
        if (common < own.end()) {
            return new Verdict.Forked(common, member.history().lastId());
        }
        return member.durable() < own.end()
                ? new Verdict.Ahead(member.durable())
                : new Verdict.Follow();
    }
}
