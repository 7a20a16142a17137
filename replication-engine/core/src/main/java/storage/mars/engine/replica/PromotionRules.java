// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.ReplicaMetadata.Fork;

/**
 * Whether a replica may become primary, by plan or by force: only one that is open, whole, on the
 * history of the primary, and busy with no other change of role.
 */
final class PromotionRules {

    private PromotionRules() {}

    /** Why it may not; null when it may. */
    static @Nullable Refusal refusal(Replica replica) {
        String what = replica.name + " does not become primary here";
        if (!replica.isOpen()) {
            return Refusal.precondition(
                    replica.state().name(),
                    what,
                    "it is " + replica.state().describe(),
                    NextStep.status(replica.name));
        }
        Fork fork = replica.current().fork();
        if (fork != null) {
            return Refusal.precondition(
                    "Forked",
                    what,
                    "its history forks from the primary's at "
                            + fork.position()
                            + ", and what is behind that is here alone",
                    NextStep.status(replica.name));
        }
        if (replica.current().sync().inconsistent()) {
            return Refusal.precondition(
                    "Inconsistent",
                    what,
                    "its images are not yet a whole copy",
                    NextStep.marsadm("wait " + replica.name + " --for consistent"));
        }
        if (replica.following().isDeciding()) {
            return Refusal.precondition(
                    "Busy",
                    what,
                    "its log is being compared with that of the primary, from which it forks",
                    NextStep.status(replica.name));
        }
        boolean settled =
                replica.state() instanceof ReplicaState.Secondary
                        || replica.state() instanceof ReplicaState.Serving;
        if (!settled) {
            return Refusal.precondition(
                    "Busy",
                    what,
                    "it is " + replica.state().describe(),
                    NextStep.status(replica.name));
        }
        return null;
    }

    /** The way out when no plan helps: it tells what would be lost, and does nothing yet. */
    static NextStep askForce(Replica replica) {
        return NextStep.marsadm("primary " + replica.name + " --force");
    }

    /** For whoever has just been told what would be lost. */
    static NextStep forceCommand(Replica replica) {
        return NextStep.marsadm(
                "primary "
                        + replica.name
                        + " --force --supersedes-term "
                        + Terms.inForce(replica.current()));
    }
}
