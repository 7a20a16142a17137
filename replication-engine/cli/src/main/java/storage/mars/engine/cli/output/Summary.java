// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli.output;

import java.util.List;
import java.util.stream.Collectors;
import storage.mars.engine.api.v1.Condition;
import storage.mars.engine.api.v1.Epoch;
import storage.mars.engine.api.v1.Member;
import storage.mars.engine.api.v1.Replica;

/** A replica in one line. */
final class Summary {

    private Summary() {}

    static String of(Replica replica) {
        return "%s on %s: %s, %s, %s, %s"
                .formatted(
                        replica.getName(),
                        replica.getReplica(),
                        RoleName.of(replica.getRole()),
                        replica.getState(),
                        consistency(replica),
                        termAndEpoch(replica));
    }

    /** The summary and all that moves, for a watch. */
    static String moving(Replica replica) {
        var line = new StringBuilder(of(replica));
        line.append(", applied ").append(replica.getPositions().getApplied());
        line.append(", lag ").append(Lag.worst(replica));
        replica.getMembersList().stream()
                .filter(Member::hasSync)
                .forEach(member -> line.append(", sync of ").append(sync(member)));
        String unwanted = unwanted(replica);
        if (!unwanted.isEmpty()) {
            line.append(", ").append(unwanted);
        }
        return line.toString();
    }

    /** The conditions that are not as wanted, with their reasons; empty when there are none. */
    static String unwanted(Replica replica) {
        return unwantedConditions(replica).stream()
                .map(condition -> condition.getType() + " " + verdict(condition))
                .collect(Collectors.joining(", "));
    }

    static List<Condition> unwantedConditions(Replica replica) {
        return replica.getConditionsList().stream()
                .filter(condition -> !condition.getStatus().equals("True"))
                .toList();
    }

    static String verdict(Condition condition) {
        return condition.getReason().isEmpty()
                ? condition.getStatus()
                : condition.getStatus() + " (" + condition.getReason() + ")";
    }

    /** Term and epoch as {@code 3.1}. */
    static String number(Epoch epoch) {
        return epoch.getTerm() + "." + epoch.getSequence();
    }

    private static String consistency(Replica replica) {
        return replica.getConsistent() ? "consistent" : "INCONSISTENT";
    }

    private static String termAndEpoch(Replica replica) {
        String term = "term " + replica.getTerm();
        return replica.hasEpoch() ? term + ", epoch " + number(replica.getEpoch()) : term;
    }

    private static String sync(Member member) {
        return member.getName() + " " + SyncProgress.of(member);
    }
}
