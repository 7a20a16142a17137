// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import storage.mars.engine.testkit.Scenario;
import storage.mars.engine.testkit.SeedRun;

class EngineSimTest {

    @Test
    void aRestartingPrimaryKeepsItsPromises() {
        long steps = SeedRun.steps(new RestartingPrimaryScenario(), 1, 20);

        assertThat(steps).isGreaterThan(10_000);
    }

    @Test
    void enginesThatAreStoppedByPlanHaveAllInTheirImages() {
        long steps = SeedRun.steps(new PlannedStopScenario(), 1, 25);

        assertThat(steps).isGreaterThan(10_000);
    }

    /** Its primary forgot epochs that it had received, but would still have to apply. */
    @Test
    void aSecondaryKnowsTheEpochsOfAllThatItHasStillToApply() {
        SeedRun.of(new PlannedStopScenario(), 100008);
    }

    @Test
    void secondariesAreAtEachMomentAPrefixOfThePrimary() {
        long steps = SeedRun.steps(new ShippingScenario(), 1, 30);

        assertThat(steps).isGreaterThan(10_000);
    }

    @Test
    void newReplicasAreCopiedWhileTheyAreWritten() {
        long steps = SeedRun.steps(new JoiningScenario(), 1, 20);

        assertThat(steps).isGreaterThan(10_000);
    }

    /** A whole frame of an unfinished write survived a power cut; no sync had said so. */
    @Test
    void aFrameThatSurvivedByLuckIsSyncedBeforeItReachesAnImage() {
        SeedRun.of(new JoiningScenario(), 22095094349671L);
    }

    @Test
    void aFullLogDropsTheSlowestAndHasItBack() {
        long steps = SeedRun.steps(new FullLogScenario(), 1, 6);

        assertThat(steps).isGreaterThan(10_000);
    }

    /** Its epochs were forgotten while it was dropped, and it did not even say so. */
    @Test
    void aDroppedMemberHasAnEpochInCommonWhenItComesBack() {
        SeedRun.of(new FullLogScenario(), 7800000002L);
    }

    @Test
    void aPrimaryThatStaysFullShipsRestartsAndHandsOver() {
        long steps = SeedRun.steps(new FullPrimaryScenario(), 1, 15);

        assertThat(steps).isGreaterThan(10_000);
    }

    @Test
    void whoComesBackBelievesItsDeviceAndNotItsCache() {
        long steps = SeedRun.steps(new ReturningScenario(), 1, 15);

        assertThat(steps).isGreaterThan(10_000);
    }

    @Test
    void troubledDisksLoseNothing() {
        long steps = SeedRun.steps(new DiskTroubleScenario(), 1, 6);

        assertThat(steps).isGreaterThan(10_000);
    }

    @Test
    void aFailingLogFailsTheReplicaAndARestartFindsAll() {
        long steps = SeedRun.steps(new FailedLogScenario(), 1, 10);

        assertThat(steps).isGreaterThan(10_000);
    }

    @Test
    void damageIsNoticedAndHarmsNobodyElse() {
        long steps = SeedRun.steps(new DamageScenario(), 1, 25);

        assertThat(steps).isGreaterThan(10_000);
    }

    /** The image had parts of the frame that was damaged, and no later frame proves it. */
    @Test
    void whatTheImageHasOfALostEndIsKnownToTheOracle() {
        SeedRun.of(new DamageScenario(), 2800000104L);
    }

    @Test
    void damagedOldLogIsNoHarmToThePrimary() {
        long steps = SeedRun.steps(new OldLogDamageScenario(), 1, 8);

        assertThat(steps).isGreaterThan(10_000);
    }

    static Stream<Scenario> scenarios() {
        return Stream.of(
                new ShippingScenario(),
                new JoiningScenario(),
                new PlannedStopScenario(),
                new DiskTroubleScenario(),
                new FullPrimaryScenario(),
                new DamageScenario());
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void aSeedRepeatsItsRun(Scenario scenario) {
        SeedRun first = SeedRun.of(scenario, 7);

        assertThat(SeedRun.of(scenario, 7)).isEqualTo(first);
    }
}
