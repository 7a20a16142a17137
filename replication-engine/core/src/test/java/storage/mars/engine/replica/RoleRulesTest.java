// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import storage.mars.engine.log.Epoch;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.EpochId;
import storage.mars.engine.replica.RoleRules.Own;
import storage.mars.engine.replica.RoleRules.Verdict;
import storage.mars.engine.replication.PeerMessage.Hello;

/** Every row of the table "meeting" of docs/roles.md. */
class RoleRulesTest {

    private static final long ME = 1;
    private static final long OTHER = 2;
    private static final long THIRD = 3;

    private static final Epoch E1 = epoch(1, 0, 11, ME, 0, Epoch.OPEN);
    private static final Epoch E1_ENDED = epoch(1, 0, 11, ME, 0, 100);
    private static final Epoch RESTARTED = epoch(1, 1, 12, ME, 100, Epoch.OPEN);
    private static final Epoch OTHERS = epoch(2, 0, 22, OTHER, 100, Epoch.OPEN);
    private static final Epoch MINE = epoch(2, 0, 23, ME, 100, Epoch.OPEN);

    private static Epoch epoch(
            long term, long sequence, long id, long writer, long start, long end) {
        return new Epoch(new EpochId(term, sequence, id), writer, start, end);
    }

    private static EpochHistory history(Epoch... epochs) {
        return new EpochHistory(List.of(epochs));
    }

    private static Own primary(EpochHistory history, long end, long highest) {
        return new Own(true, ME, history, end, highest);
    }

    private static Own secondary(EpochHistory history, long end, long highest) {
        return new Own(false, ME, history, end, highest);
    }

    private static Hello hello(
            boolean primary, long openTerm, EpochHistory history, long durable, long highest) {
        return new Hello(
                true, 7, "r", OTHER, "b", "b:1", primary, "", highest, openTerm, 5, history,
                durable, durable, 0, true, 0, 0, false, 0, List.of());
    }

    static Stream<Arguments> rows() {
        EpochHistory old = history(E1);
        EpochHistory theirs = history(E1_ENDED, OTHERS);
        EpochHistory mine = history(E1_ENDED, MINE);
        return Stream.of(
                Arguments.of(
                        "primary, a secondary of the same log",
                        primary(old, 100, 1),
                        hello(false, 0, old, 90, 1),
                        new Verdict.Nothing()),
                Arguments.of(
                        "primary, a secondary that knows of a higher term",
                        primary(old, 100, 1),
                        hello(false, 0, old, 90, 2),
                        new Verdict.Fence(2)),
                Arguments.of(
                        "primary, a primary of a higher term",
                        primary(old, 120, 1),
                        hello(true, 0, theirs, 150, 2),
                        new Verdict.Fence(2)),
                Arguments.of(
                        "primary that knows of a higher term itself",
                        primary(old, 100, 2),
                        hello(false, 0, old, 90, 1),
                        new Verdict.Fence(2)),
                Arguments.of(
                        "primary, an old primary",
                        primary(mine, 150, 2),
                        hello(true, 0, old, 120, 1),
                        new Verdict.Nothing()),
                Arguments.of(
                        "primary, a primary of the same term",
                        primary(mine, 150, 2),
                        hello(true, 0, theirs, 130, 2),
                        new Verdict.SplitBrain(100)),
                Arguments.of(
                        "primary, a member that holds more of its last epoch",
                        primary(old, 90, 1),
                        hello(false, 0, old, 100, 1),
                        new Verdict.DurableLoss(90, 100)),
                Arguments.of(
                        "primary that has gone back behind a restart of its own",
                        primary(old, 90, 1),
                        hello(false, 0, history(E1_ENDED, RESTARTED), 150, 1),
                        new Verdict.DurableLoss(90, 150)),
                Arguments.of(
                        "primary that has gone back to where it was restarted",
                        primary(old, 100, 1),
                        hello(false, 0, history(E1_ENDED, RESTARTED), 150, 1),
                        new Verdict.DurableLoss(100, 150)),
                Arguments.of(
                        "secondary, another secondary",
                        secondary(old, 90, 1),
                        hello(false, 0, old, 100, 1),
                        new Verdict.Nothing()),
                Arguments.of(
                        "secondary, the primary of an older term than is known",
                        secondary(old, 90, 2),
                        hello(true, 0, old, 100, 1),
                        new Verdict.Outdated()),
                Arguments.of(
                        "secondary, its primary",
                        secondary(old, 90, 1),
                        hello(true, 0, old, 100, 1),
                        new Verdict.Follow()),
                Arguments.of(
                        "secondary, a replica that has laid the role down",
                        secondary(old, 90, 1),
                        hello(false, 2, history(E1_ENDED), 100, 1),
                        new Verdict.Follow()),
                Arguments.of(
                        "secondary, a new primary whose log goes on from its own",
                        secondary(old, 100, 1),
                        hello(true, 0, theirs, 150, 2),
                        new Verdict.Follow()),
                Arguments.of(
                        "secondary, its primary holds less than it",
                        secondary(old, 100, 1),
                        hello(true, 0, old, 90, 1),
                        new Verdict.Ahead(90)),
                Arguments.of(
                        "secondary, a new primary, data behind the fork",
                        secondary(old, 120, 1),
                        hello(true, 0, theirs, 150, 2),
                        new Verdict.Forked(100, OTHERS.id())),
                Arguments.of(
                        "secondary of another writer of the same term",
                        secondary(mine, 130, 2),
                        hello(true, 0, theirs, 150, 2),
                        new Verdict.SplitBrain(100)),
                Arguments.of(
                        "secondary, a primary without a common epoch",
                        secondary(old, 90, 1),
                        hello(true, 0, history(epoch(2, 0, 99, THIRD, 50, Epoch.OPEN)), 80, 2),
                        new Verdict.Unrelated()));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("rows")
    void whatFollowsFromMeeting(String row, Own own, Hello member, Verdict expected) {
        assertThat(RoleRules.judge(own, member)).as(row).isEqualTo(expected);
    }
}
