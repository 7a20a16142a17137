// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli.output;

import java.util.Comparator;
import storage.mars.engine.api.v1.Member;
import storage.mars.engine.api.v1.Replica;
import storage.mars.engine.api.v1.Role;
import storage.mars.engine.cli.unit.ByteSize;
import storage.mars.engine.cli.unit.TimeSpan;

/** How far members are behind, in words. */
final class Lag {

    static final String NONE = "-";
    static final String UNKNOWN = "?";

    private Lag() {}

    /**
     * The lag of one member as this replica knows it: a lower bound unless this replica is the
     * primary or connected to it.
     */
    static String of(Member member, Replica seenBy) {
        if (member.getRole() == Role.ROLE_PRIMARY) {
            return NONE;
        }
        if (!member.hasLagBytes()) {
            return UNKNOWN;
        }
        var lag = new StringBuilder(knowsPrimary(seenBy) ? "" : "at least ");
        lag.append(new ByteSize(member.getLagBytes()));
        if (member.hasLagSeconds()) {
            lag.append(", ").append(TimeSpan.ofSeconds(member.getLagSeconds()));
        }
        return lag.toString();
    }

    /** A secondary's own lag; on a primary that of the member furthest behind, with its name. */
    static String worst(Replica replica) {
        if (replica.getRole() == Role.ROLE_PRIMARY) {
            return replica.getMembersList().stream()
                    .filter(member -> member.getRole() != Role.ROLE_PRIMARY && !member.getSelf())
                    .max(Comparator.comparingLong(Lag::badness))
                    .map(member -> member.getName() + ": " + of(member, replica))
                    .orElse(NONE);
        }
        return replica.getMembersList().stream()
                .filter(Member::getSelf)
                .findFirst()
                .map(member -> of(member, replica))
                .orElse(UNKNOWN);
    }

    private static long badness(Member member) {
        return member.hasLagBytes() ? member.getLagBytes() : Long.MAX_VALUE;
    }

    private static boolean knowsPrimary(Replica replica) {
        return replica.getMembersList().stream()
                .anyMatch(member ->
                        member.getRole() == Role.ROLE_PRIMARY
                                && (member.getSelf() || member.getConnected()));
    }
}
