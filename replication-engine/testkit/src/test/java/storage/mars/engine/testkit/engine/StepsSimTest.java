// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import storage.mars.engine.testkit.Scenario;
import storage.mars.engine.testkit.SeedRun;
import storage.mars.engine.testkit.sim.SimWorld;

/** How much is simulated at least, with seeds that no other test runs. */
class StepsSimTest {

    private static final long FIRST_SEED = 1_001;

    private static Map<Scenario, Integer> seeds() {
        Map<Scenario, Integer> seeds = new LinkedHashMap<>();
        seeds.put(new RestartingPrimaryScenario(), 25);
        seeds.put(new ShippingScenario(), 16);
        seeds.put(new HandoverScenario(), 16);
        seeds.put(new ForcedScenario(), 16);
        seeds.put(new JoiningScenario(), 10);
        seeds.put(new FullLogScenario(), 6);
        seeds.put(new DiskTroubleScenario(), 6);
        return seeds;
    }

    @Test
    @DisabledIfSystemProperty(
            named = SimWorld.SEED_PROPERTY,
            matches = ".*",
            disabledReason = "one seed is being replayed")
    void aMillionStepsOverOneTwoAndThreeReplicas() {
        Map<Integer, Long> stepsByReplicas = new TreeMap<>();

        seeds().forEach((scenario, count) -> {
            for (long seed = FIRST_SEED; seed < FIRST_SEED + count; seed++) {
                SeedRun run = SeedRun.of(scenario, seed);
                stepsByReplicas.merge(run.machines(), run.steps(), Long::sum);
            }
        });

        long total = stepsByReplicas.values().stream().mapToLong(Long::longValue).sum();
        assertThat(total).as("steps by replicas: " + stepsByReplicas).isGreaterThan(1_000_000);
        assertThat(stepsByReplicas).containsOnlyKeys(1, 2, 3);
        assertThat(stepsByReplicas.values()).allMatch(steps -> steps > 100_000);
    }
}
