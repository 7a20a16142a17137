// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import storage.mars.engine.testkit.disk.Fate;

/** Every step of the protocols of roles, on either side; and pairs of steps at some of them. */
class RoleCrashesTest {

    private static final int ALL = 1_000;

    @ParameterizedTest
    @CsvSource({
        "RECOVERY, a",
        "RECOVERY, b",
        "HANDOVER, a",
        "HANDOVER, b",
        "FORCED, a",
        "FORCED, b",
        "LAYING_DOWN, a",
        "LAYING_DOWN, b",
        "PLANNED_STOP, a",
        "PLANNED_STOP, b"
    })
    void aCrashAtAnyStepLosesNothing(RoleCrashes.Protocol protocol, String victim) {
        int runs = RoleCrashes.run(protocol, victim, 2, ALL, 0, List.of(Fate.HALF));

        assertThat(runs).isGreaterThan(20);
    }

    /** Joining and the sync that follows have more steps than there is time for here. */
    @ParameterizedTest
    @CsvSource({"a", "b"})
    void aCrashWhileJoiningLosesNothing(String victim) {
        int runs = RoleCrashes.run(RoleCrashes.Protocol.JOIN, victim, 2, 20, 0, List.of(Fate.HALF));

        assertThat(runs).isGreaterThan(20);
    }

    @ParameterizedTest
    @CsvSource({"HANDOVER, a", "HANDOVER, b", "FORCED, b", "RECOVERY, a", "PLANNED_STOP, a"})
    void aSecondCrashDuringWhatFollowsLosesNothing(RoleCrashes.Protocol protocol, String victim) {
        int runs = RoleCrashes.run(protocol, victim, 3, 5, 3, List.of(Fate.HALF));

        assertThat(runs).isGreaterThan(20);
    }
}
