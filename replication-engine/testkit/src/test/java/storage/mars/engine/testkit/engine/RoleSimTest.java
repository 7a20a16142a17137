// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import storage.mars.engine.testkit.SeedRun;

class RoleSimTest {

    @Test
    void theRoleGoesOverAndBack() {
        long steps = SeedRun.steps(new FailoverScenario(), 1, 20);

        assertThat(steps).isGreaterThan(10_000);
    }
}
