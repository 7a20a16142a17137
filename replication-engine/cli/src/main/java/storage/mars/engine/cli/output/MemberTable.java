// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli.output;

import java.util.List;
import storage.mars.engine.api.v1.Member;
import storage.mars.engine.api.v1.Replica;

/** The members of a resource as one replica knows them. */
final class MemberTable {

    private MemberTable() {}

    static List<String> lines(Replica replica) {
        var table =
                new TextTable(
                        "MEMBER", "ROLE", "STATE", "CONTACT", "RECEIVED", "APPLIED", "LAG", "SYNC");
        replica.getMembersList()
                .forEach(member ->
                        table.row(
                                member.getName(),
                                RoleName.of(member.getRole()),
                                state(member),
                                contact(member, replica),
                                member.hasReceivedPosition()
                                        ? Long.toString(member.getReceivedPosition())
                                        : "?",
                                member.hasAppliedPosition()
                                        ? Long.toString(member.getAppliedPosition())
                                        : "?",
                                Lag.of(member, replica),
                                SyncProgress.of(member)));
        return table.lines();
    }

    private static String state(Member member) {
        return member.getState().isEmpty() ? "?" : member.getState();
    }

    private static String contact(Member member, Replica replica) {
        if (member.getSelf()) {
            return "here";
        }
        if (member.getConnected()) {
            return "connected";
        }
        return member.hasLastContact()
                ? "lost " + Moments.ago(member.getLastContact(), replica)
                : "never";
    }
}
