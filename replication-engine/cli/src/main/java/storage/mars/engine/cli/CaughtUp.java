// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import com.google.protobuf.Timestamp;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.api.v1.Member;
import storage.mars.engine.api.v1.Replica;
import storage.mars.engine.api.v1.Role;

/**
 * All that was durable at the primary when the wait began is applied: by this replica, or, asked of
 * the primary, by every other member. So it ends under a steady load too. A secondary takes the
 * primary's word only when it was received after the wait began.
 */
final class CaughtUp implements Goal {

    private static final Comparator<Timestamp> BY_TIME =
            Comparator.comparingLong(Timestamp::getSeconds).thenComparingInt(Timestamp::getNanos);

    private @Nullable Timestamp begun;
    private @Nullable Mark mark;

    /** The position to reach, in the log of one writer. */
    private record Mark(String primary, long term, long position) {}

    @Override
    public boolean reachedBy(Replica replica) {
        if (begun == null) {
            begun = replica.getObservedAt();
        }
        Mark reach = mark(replica, begun);
        return reach != null && replica.getConsistent() && behind(replica, reach).isEmpty();
    }

    @Override
    public String missing(Replica replica) {
        if (mark == null) {
            return "its primary has not been heard of since the wait began";
        }
        if (!replica.getConsistent()) {
            return "it is inconsistent until its sync is complete";
        }
        return "behind position %d: %s"
                .formatted(mark.position, String.join(", ", behind(replica, mark)));
    }

    private @Nullable Mark mark(Replica replica, Timestamp begun) {
        Mark known = mark;
        if (known == null
                || known.term != replica.getTerm()
                || !known.primary.equals(replica.getPrimary())) {
            mark = markNow(replica, begun).orElse(null);
        }
        return mark;
    }

    private static Optional<Mark> markNow(Replica replica, Timestamp begun) {
        if (replica.getRole() == Role.ROLE_PRIMARY) {
            return Optional.of(mark(replica, replica.getPositions().getDurable()));
        }
        return replica.getMembersList().stream()
                .filter(member -> member.getName().equals(replica.getPrimary()))
                .filter(member -> member.getConnected() && member.hasReceivedPosition())
                .filter(member -> BY_TIME.compare(member.getLastContact(), begun) > 0)
                .findFirst()
                .map(member -> mark(replica, member.getReceivedPosition()));
    }

    private static Mark mark(Replica replica, long position) {
        return new Mark(replica.getPrimary(), replica.getTerm(), position);
    }

    private static List<String> behind(Replica replica, Mark reach) {
        boolean primary = replica.getRole() == Role.ROLE_PRIMARY;
        return replica.getMembersList().stream()
                .filter(member -> member.getSelf() != primary)
                .filter(member -> !holds(member, reach))
                .map(CaughtUp::place)
                .toList();
    }

    private static boolean holds(Member member, Mark reach) {
        return member.getConsistent() && member.getAppliedPosition() >= reach.position;
    }

    private static String place(Member member) {
        String connection = member.getConnected() ? "" : ", not connected";
        return member.getName() + " (applied " + member.getAppliedPosition() + connection + ")";
    }
}
