// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Timestamp;
import org.junit.jupiter.api.Test;
import storage.mars.engine.api.v1.Member;
import storage.mars.engine.api.v1.Positions;
import storage.mars.engine.api.v1.Replica;
import storage.mars.engine.api.v1.Role;

class CaughtUpTest {

    private final Goal goal = new CaughtUp();

    @Test
    void secondaryWaitsForWordOfThePrimarySinceTheWaitBegan() {
        assertThat(goal.reachedBy(secondary(10, primaryAt(100, 9), 100))).isFalse();
        assertThat(goal.missing(secondary(10, primaryAt(100, 9), 100)))
                .isEqualTo("its primary has not been heard of since the wait began");

        assertThat(goal.reachedBy(secondary(11, primaryAt(100, 11), 100))).isTrue();
    }

    @Test
    void secondaryReachesWhatWasDurableThenNotWhatCameAfter() {
        assertThat(goal.reachedBy(secondary(10, primaryAt(100, 10), 50))).isFalse();
        assertThat(goal.reachedBy(secondary(11, primaryAt(100, 11), 50))).isFalse();
        assertThat(goal.missing(secondary(11, primaryAt(100, 11), 50)))
                .isEqualTo("behind position 100: b (applied 50)");

        assertThat(goal.reachedBy(secondary(12, primaryAt(200, 12), 100))).isTrue();
    }

    @Test
    void lostPrimaryIsNoMeasure() {
        var lost = primaryAt(100, 12).setConnected(false);

        assertThat(goal.reachedBy(secondary(10, lost, 100))).isFalse();
        assertThat(goal.reachedBy(secondary(13, lost, 100))).isFalse();
    }

    @Test
    void inconsistentContentIsNotCaughtUp() {
        var copying =
                secondary(11, primaryAt(100, 11), 100).toBuilder().setConsistent(false).build();

        assertThat(goal.reachedBy(secondary(10, primaryAt(100, 10), 100))).isFalse();
        assertThat(goal.reachedBy(copying)).isFalse();
        assertThat(goal.missing(copying)).contains("inconsistent");
    }

    @Test
    void newPrimaryIsANewMeasure() {
        assertThat(goal.reachedBy(secondary(10, primaryAt(100, 10), 50))).isFalse();
        assertThat(goal.reachedBy(secondary(11, primaryAt(100, 11), 50))).isFalse();

        var promoted = secondary(12, primaryAt(60, 12), 60).toBuilder().setTerm(2).build();

        assertThat(goal.reachedBy(promoted)).isTrue();
    }

    @Test
    void primaryWaitsForEveryOtherMember() {
        assertThat(goal.reachedBy(primary(100, follower("b", 100), follower("c", 90)))).isFalse();
        assertThat(goal.missing(primary(150, follower("b", 100), follower("c", 90))))
                .isEqualTo("behind position 100: c (applied 90)");

        assertThat(goal.reachedBy(primary(200, follower("b", 100), follower("c", 100)))).isTrue();
    }

    @Test
    void memberThatIsAwayIsNamed() {
        var away = follower("c", 90).setConnected(false);

        assertThat(goal.reachedBy(primary(100, away))).isFalse();
        assertThat(goal.missing(primary(100, away)))
                .isEqualTo("behind position 100: c (applied 90, not connected)");
    }

    @Test
    void primaryAloneIsCaughtUp() {
        assertThat(goal.reachedBy(primary(100))).isTrue();
    }

    private static Replica secondary(long now, Member.Builder primary, long applied) {
        return Replica.newBuilder()
                .setReplica("b")
                .setRole(Role.ROLE_SECONDARY)
                .setTerm(1)
                .setPrimary("a")
                .setConsistent(true)
                .setObservedAt(second(now))
                .addMembers(primary)
                .addMembers(follower("b", applied).setSelf(true))
                .build();
    }

    private static Replica primary(long durable, Member.Builder... others) {
        var replica =
                Replica.newBuilder()
                        .setReplica("a")
                        .setRole(Role.ROLE_PRIMARY)
                        .setTerm(1)
                        .setPrimary("a")
                        .setConsistent(true)
                        .setObservedAt(second(10))
                        .setPositions(Positions.newBuilder().setDurable(durable))
                        .addMembers(primaryAt(durable, 10).setSelf(true));
        for (Member.Builder other : others) {
            replica.addMembers(other);
        }
        return replica.build();
    }

    private static Member.Builder primaryAt(long position, long contact) {
        return Member.newBuilder()
                .setName("a")
                .setRole(Role.ROLE_PRIMARY)
                .setConnected(true)
                .setConsistent(true)
                .setReceivedPosition(position)
                .setLastContact(second(contact));
    }

    private static Member.Builder follower(String name, long applied) {
        return Member.newBuilder()
                .setName(name)
                .setRole(Role.ROLE_SECONDARY)
                .setConnected(true)
                .setConsistent(true)
                .setAppliedPosition(applied);
    }

    private static Timestamp second(long second) {
        return Timestamp.newBuilder().setSeconds(second).build();
    }
}
