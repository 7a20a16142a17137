// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.workload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import storage.mars.engine.testkit.SeedRun;
import storage.mars.engine.testkit.schedule.SimFailure;

class WorkloadSimTest {

    @Test
    void aSoundEngineSurvivesEverySeed() {
        CrashingClientsScenario scenario =
                new CrashingClientsScenario(WriteThroughEngine.Defect.NONE, 6);

        long steps = SeedRun.steps(scenario, 1, 40);

        assertThat(steps).isGreaterThan(10_000);
    }

    @Test
    void oneSeedIsOneRun() {
        CrashingClientsScenario scenario =
                new CrashingClientsScenario(WriteThroughEngine.Defect.NONE, 4);

        SeedRun first = SeedRun.of(scenario, 77);

        assertThat(SeedRun.of(scenario, 77)).isEqualTo(first);
        assertThat(SeedRun.of(scenario, 78).traceHash()).isNotEqualTo(first.traceHash());
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void everyDefectIsFound(WriteThroughEngine.Defect defect) {
        CrashingClientsScenario scenario = new CrashingClientsScenario(defect, 6);

        assertThatThrownBy(() -> SeedRun.steps(scenario, 1, 60))
                .isInstanceOf(SimFailure.class)
                .hasMessageContaining("mars.sim.seed=");
    }
}
