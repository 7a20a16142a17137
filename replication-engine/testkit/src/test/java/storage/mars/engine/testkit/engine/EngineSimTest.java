// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import storage.mars.engine.testkit.SeedRun;

class EngineSimTest {

    @Test
    void aRestartingPrimaryKeepsItsPromises() {
        long steps = SeedRun.steps(new RestartingPrimaryScenario(), 1, 60);

        assertThat(steps).isGreaterThan(10_000);
    }
}
