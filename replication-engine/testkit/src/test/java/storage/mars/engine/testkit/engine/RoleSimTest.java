// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import storage.mars.engine.testkit.Scenario;
import storage.mars.engine.testkit.SeedRun;

/** Roles among two and three replicas, with a bounded number of seeds; the soak runs the others. */
class RoleSimTest {

    static Stream<Arguments> stories() {
        return Stream.of(
                Arguments.of(new FailoverScenario(), 15),
                Arguments.of(new HandoverScenario(), 25),
                Arguments.of(new ForcedScenario(), 25),
                Arguments.of(new SplitBrainScenario(), 15),
                Arguments.of(new FencedStartScenario(), 15),
                Arguments.of(new LyingDiskScenario(), 15),
                Arguments.of(new LaidDownScenario(), 15),
                Arguments.of(new SlowFollowerScenario(), 15),
                Arguments.of(new IdleScenario(), 1));
    }

    @ParameterizedTest
    @MethodSource("stories")
    void rolesKeepTheirPromises(Scenario story, int seeds) {
        assertThat(SeedRun.steps(story, 1, seeds)).isGreaterThan(1_000);
    }

    /** With retries at ticks only the restarted primary did not meet its member in time. */
    @ParameterizedTest
    @ValueSource(longs = {74720794704L})
    void aRestartedPrimaryMeetsItsMemberWithinTheWait(long seed) {
        SeedRun.of(new FencedStartScenario(), seed);
    }

    /** The member kept its old link to the rebooted primary, and refused the new one. */
    @Test
    void aRebootedPrimaryIsToldOfItsLossThoughItsOldLinkIsHalfOpen() {
        SeedRun.of(new LyingDiskScenario(), 1);
    }
}
