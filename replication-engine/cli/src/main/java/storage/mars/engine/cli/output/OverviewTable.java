// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli.output;

import java.util.List;
import storage.mars.engine.api.v1.Member;
import storage.mars.engine.api.v1.Replica;

/** All replicas of one engine, a line for each. */
final class OverviewTable {

    private OverviewTable() {}

    static List<String> lines(List<Replica> replicas) {
        if (replicas.isEmpty()) {
            return List.of("No resources on this engine.");
        }
        var table =
                new TextTable(
                        "RESOURCE",
                        "HERE",
                        "ROLE",
                        "STATE",
                        "EPOCH",
                        "CONSISTENT",
                        "PRIMARY",
                        "LAG",
                        "SYNC",
                        "NOT AS WANTED");
        replicas.forEach(replica ->
                table.row(
                        replica.getName(),
                        replica.getReplica(),
                        RoleName.of(replica.getRole()),
                        replica.getState(),
                        replica.hasEpoch() ? Summary.number(replica.getEpoch()) : "-",
                        replica.getConsistent() ? "yes" : "NO",
                        known(replica.getPrimary()),
                        Lag.worst(replica),
                        sync(replica),
                        orDash(Summary.unwanted(replica))));
        return table.lines();
    }

    private static String sync(Replica replica) {
        return replica.getMembersList().stream()
                .filter(Member::hasSync)
                .findFirst()
                .map(member -> member.getName() + ": " + SyncProgress.of(member))
                .orElse("-");
    }

    private static String known(String name) {
        return name.isEmpty() ? "?" : name;
    }

    private static String orDash(String text) {
        return text.isEmpty() ? "-" : text;
    }
}
