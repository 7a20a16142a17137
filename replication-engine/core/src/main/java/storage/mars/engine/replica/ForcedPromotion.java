// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.Epoch;
import storage.mars.engine.replica.RoleRules.Own;
import storage.mars.engine.replica.RoleRules.Verdict;
import storage.mars.engine.replication.PeerMessage.Hello;

/**
 * Takes the role by force: what the other side has beyond this log's end becomes a branch. Refused
 * with what would be lost unless the term in force is named; the conditions are those of
 * docs/roles.md. One use. Owned by the shard.
 */
final class ForcedPromotion {

    private final Replica replica;
    private final @Nullable Long supersedes;
    private final @Nullable Long maxLossBytes;

    ForcedPromotion(Replica replica, @Nullable Long supersedes, @Nullable Long maxLossBytes) {
        this.replica = replica;
        this.supersedes = supersedes;
        this.maxLossBytes = maxLossBytes;
    }

    void start(Reply<Done> reply) {
        long inForce = Terms.inForce(replica.current());
        if (isServing() && supersedes != null && isSuperseded(supersedes)) {
            reply.done(Done.DONE);
            return;
        }
        Refusal refusal = refusal(inForce);
        if (refusal != null) {
            reply.refused(refusal);
            return;
        }
        long term = Math.max(inForce, replica.offered.term()) + 1;
        replica.parts().exports.close(replica.name + " is promoted to term " + term);
        replica.writership().awaitServing(reply);
        replica.writership()
                .startEpoch(term, draft -> draft.incarnation = replica.ports.entropy().nextLong());
    }

    /** Whether the term here is the first after {@code term}. */
    private boolean isSuperseded(long term) {
        long own = replica.current().history().lastId().term();
        long before = 0;
        for (Epoch epoch : replica.current().history().epochs()) {
            before = epoch.id().term() < own ? epoch.id().term() : before;
        }
        return own == term + 1 || (own > term && before == term);
    }

    private boolean isServing() {
        return replica.state() instanceof ReplicaState.Serving;
    }

    private @Nullable Refusal refusal(long inForce) {
        boolean afterLoss = replica.state() instanceof ReplicaState.DurableLoss;
        Refusal refusal = afterLoss ? null : PromotionRules.refusal(replica);
        if (refusal != null) {
            return refusal;
        }
        if (isServing() && replica.writership().splitBrainWith() == null) {
            return Refusal.precondition(
                    "IsPrimary",
                    replica.name + " is not promoted",
                    "it is primary here in term " + inForce,
                    NextStep.status(replica.name));
        }
        if (supersedes == null || supersedes != inForce) {
            return wrongTerm(inForce);
        }
        if (maxLossBytes == null) {
            return null;
        }
        return afterLoss ? afterLossRefusal(maxLossBytes) : lossRefusal(maxLossBytes);
    }

    private Refusal wrongTerm(long inForce) {
        return Refusal.precondition(
                supersedes == null ? "TermRequired" : "StaleTerm",
                replica.name + " is not promoted by force",
                (supersedes == null
                                ? "no term was named"
                                : "term " + supersedes + " is not the newest")
                        + ": term "
                        + inForce
                        + " is in force; would be lost: "
                        + loss(),
                PromotionRules.forceCommand(replica));
    }

    private String loss() {
        return replica.state() instanceof ReplicaState.DurableLoss lost
                ? lost.reason()
                : LossEstimate.of(replica).describe();
    }

    private @Nullable Refusal lossRefusal(long allowedBytes) {
        LossEstimate loss = LossEstimate.of(replica);
        return loss.exact() && loss.bytes() <= allowedBytes
                ? null
                : tooLarge(loss.describe(), allowedBytes);
    }

    /**
     * This replica is the only writer of the log, so what members have received of it is exact once
     * all have been heard; one that has not may hold still more.
     */
    private @Nullable Refusal afterLossRefusal(long allowedBytes) {
        long bytes = lostBytes();
        boolean exact = replica.members().allAnswered();
        return exact && bytes <= allowedBytes
                ? null
                : tooLarge(
                        (exact ? "exactly " : "at least ") + bytes + " bytes of log: " + loss(),
                        allowedBytes);
    }

    /** What the member that has received most of this log holds beyond the end of what was kept. */
    private long lostBytes() {
        Own own = replica.talk().own();
        long most = 0;
        for (Peer peer : replica.members().all()) {
            Hello hello = peer.hello;
            if (hello != null
                    && RoleRules.judge(own, hello)
                            instanceof Verdict.DurableLoss(long kept, long received)) {
                most = Math.max(most, received - kept);
            }
        }
        return most;
    }

    private Refusal tooLarge(String loss, long allowedBytes) {
        return Refusal.precondition(
                "LossTooLarge",
                replica.name + " is not promoted by force",
                "would be lost: " + loss + ", allowed are " + allowedBytes,
                NextStep.status(replica.name));
    }
}
