// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import storage.mars.engine.testkit.SeedRun;
import storage.mars.engine.testkit.disk.CrashKind;
import storage.mars.engine.testkit.disk.Fate;
import storage.mars.engine.testkit.sim.CrashPoints;

/** Every step of the protocols of roles, on either side; and pairs of some of their steps. */
class RoleCrashesTest {

    private static final List<Fate> FATES = List.of(Fate.NOTHING, Fate.HALF, Fate.EVERYTHING);

    static Stream<Arguments> stories() {
        return Stream.of(RoleCrashes.Protocol.values())
                .flatMap(each -> Stream.of("a", "b").map(victim -> Arguments.of(each, victim)));
    }

    /** None is left out: each point, both kinds of crash, each fate of what was under way. */
    @ParameterizedTest
    @MethodSource("stories")
    void aCrashAtAnyStepLosesNothing(RoleCrashes.Protocol protocol, String victim) {
        CrashPoints points = CrashPoints.everywhere(2, RoleCrashes.story(protocol, victim));

        points.run(FATES);

        int sorts = CrashKind.values().length * FATES.size();
        assertThat(points.points()).isGreaterThan(10);
        assertThat(points.runs()).isEqualTo(1 + sorts * points.points());
    }

    @ParameterizedTest
    @MethodSource("stories")
    void aSecondCrashDuringWhatFollowsLosesNothing(RoleCrashes.Protocol protocol, String victim) {
        CrashPoints points = new CrashPoints(3, RoleCrashes.story(protocol, victim), 5, 2);

        points.run(List.of(Fate.HALF));

        assertThat(points.runs()).isGreaterThan(20);
    }

    /** What the soak draws: any story, any pair of points, any fate. */
    @Test
    void drawnCrashesLoseNothing() {
        long steps = SeedRun.steps(new RoleCrashesScenario(), 1, 60);

        assertThat(steps).isGreaterThan(10_000);
    }
}
