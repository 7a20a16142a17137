// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.util.ArrayList;
import java.util.List;
import storage.mars.engine.log.ReplicaMetadata;
import storage.mars.engine.log.ReplicaMetadata.Fork;
import storage.mars.engine.replica.ReplicaStatus.Condition;

/**
 * What is as it should be with a replica and what is not, and why, and the command that gets
 * further: the conditions in its status. On the shard; changes nothing.
 */
final class Conditions {

    /** Of the log budget. */
    private static final int SOFT_PERCENT = 80;

    private final Replica replica;
    private final List<Condition> all = new ArrayList<>();

    private Conditions(Replica replica) {
        this.replica = replica;
    }

    static List<Condition> of(Replica replica) {
        Conditions conditions = new Conditions(replica);
        conditions.ready();
        if (replica.hasMetadata()) {
            conditions.members();
            conditions.history();
            if (replica.isOpen()) {
                conditions.consistent();
                conditions.storage();
                conditions.logBudget();
                conditions.switches();
            }
        }
        return conditions.all;
    }

    private void add(String type, boolean ok, String reason, String message, String next) {
        all.add(new Condition(type, ok, reason, message, next));
    }

    private void ready() {
        ReplicaState state = replica.state();
        boolean ok =
                state instanceof ReplicaState.Serving || state instanceof ReplicaState.Secondary;
        String next =
                switch (state) {
                    case ReplicaState.Failed f ->
                            "restart the engine once its storage works; the log is read again then";
                    case ReplicaState.Corrupt c ->
                            "promote another member, then marsadm leave-resource "
                                    + replica.name
                                    + " --force here and join again";
                    case ReplicaState.DurableLoss d ->
                            PromotionRules.forceCommand(replica)
                                    + ", on the member that has more, or here to give up what is lost";
                    default -> "";
                };
        add("Ready", ok, state.name(), state.reason(), next);
    }

    private void members() {
        List<String> missing =
                replica.members().all().stream()
                        .filter(peer -> !peer.isConnected())
                        .map(peer -> peer.name + " at " + peer.address)
                        .toList();
        boolean ok = missing.isEmpty();
        add(
                "MembersConnected",
                ok,
                ok ? "AllConnected" : "NotReached",
                String.join(", ", missing),
                "");
        List<String> dropped =
                replica.members().all().stream()
                        .filter(peer -> !peer.attached)
                        .map(peer -> peer.name)
                        .toList();
        if (!dropped.isEmpty()) {
            add(
                    "MembersAttached",
                    false,
                    "LogBudget",
                    "the log is not kept any more for "
                            + String.join(", ", dropped)
                            + ", which will come back by a sync",
                    "");
        }
    }

    private void history() {
        Fork fork = replica.current().fork();
        String split = replica.writership().splitBrainWith();
        if (fork != null) {
            Peer winner = replica.members().get(fork.winnerReplica());
            String by = winner == null ? "another replica" : winner.name;
            add(
                    "HistoryLinear",
                    false,
                    "Diverged",
                    "fenced: "
                            + by
                            + " is primary in term "
                            + fork.winner().term()
                            + "; this replica holds data behind position "
                            + fork.position()
                            + " that the other history does not have, kept as a branch",
                    "marsadm leave-resource "
                            + replica.name
                            + " gives the branch up, then join again");
        } else if (split != null) {
            add(
                    "HistoryLinear",
                    false,
                    "SplitBrain",
                    split,
                    PromotionRules.forceCommand(replica) + " on the side to be kept");
        } else {
            add("HistoryLinear", true, "OneHistory", "", "");
        }
    }

    private void consistent() {
        boolean ok = !replica.current().sync().inconsistent();
        String trouble = replica.following().trouble();
        add(
                "Consistent",
                ok,
                ok ? "Whole" : "Syncing",
                ok ? "" : "the images are being copied" + replica.following().syncing().whyCopied(),
                "");
        if (!replica.isPrimary()) {
            boolean follows = replica.following().source() != null && trouble == null;
            add(
                    "Following",
                    follows,
                    follows ? "Pulling" : "NotPulling",
                    trouble == null ? (follows ? "" : "no primary is connected") : trouble,
                    "");
        }
    }

    private void storage() {
        ReplicaParts parts = replica.parts();
        String stall = parts.segments.stall();
        add(
                "LogSpace",
                stall == null,
                stall == null ? "Enough" : "LogFull",
                stall == null ? "" : stall + "; writers wait",
                stall == null ? "" : "free space, or bring back the member that is behind");
        String image = parts.writeBack.trouble();
        String trouble = image == null ? parts.checkpointer.trouble() : image;
        String damage = replica.logDamage.words();
        if (trouble == null && damage != null) {
            add("StorageHealthy", false, "LogDamage", damage, "check the disk of this engine");
        } else {
            add(
                    "StorageHealthy",
                    trouble == null,
                    trouble == null ? "Healthy" : "ImageTrouble",
                    trouble == null ? "" : trouble,
                    "");
        }
    }

    /** The soft level: what is beyond it will cost a member its place, or make writers wait. */
    private void logBudget() {
        ReplicaParts parts = replica.parts();
        long kept = parts.tail.durable() - parts.segments.start();
        long budget = parts.segments.budgetBytes();
        if (kept <= budget / 100 * SOFT_PERCENT) {
            add("LogBudget", true, "Enough", "", "");
            return;
        }
        boolean givesUp = replica.isPrimary();
        Peer slowest = givesUp ? replica.talk().memberList().slowest() : null;
        boolean paused = replica.current().switches().shippingPaused();
        String what = "the log keeps " + kept + " of the " + budget + " bytes of its budget";
        if (slowest != null) {
            add(
                    "LogBudget",
                    false,
                    "MemberBehind",
                    what
                            + " for "
                            + slowest.name
                            + ", which is given up when it is full and has to sync then",
                    paused
                            ? NextStep.marsadm("resume-shipping " + replica.name).text()
                            : NextStep.status(replica.name) + " shows whether it comes nearer");
        } else if (replica.current().switches().applyPaused()) {
            add(
                    "LogBudget",
                    false,
                    "ApplyPaused",
                    what + ", since it is not applied",
                    NextStep.marsadm("resume-apply " + replica.name).text());
        } else {
            add(
                    "LogBudget",
                    false,
                    "ImagesBehind",
                    what
                            + " until it is in the images; "
                            + (givesUp ? "writers wait" : "nothing more is received")
                            + " when it is full",
                    "check how busy the disk of this engine is");
        }
    }

    private void switches() {
        ReplicaMetadata.Switches switches = replica.current().switches();
        boolean shipping = !switches.shippingPaused();
        add(
                "Shipping",
                shipping,
                shipping ? "On" : "Paused",
                shipping ? "" : "paused by an operator",
                shipping ? "" : "marsadm resume-shipping " + replica.name);
        boolean applying = !switches.applyPaused();
        add(
                "Applying",
                applying,
                applying ? "On" : "Paused",
                applying ? "" : "paused by an operator",
                applying ? "" : "marsadm resume-apply " + replica.name);
    }
}
