// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.junit.jupiter.api.Test;
import storage.mars.engine.export.ExportRegistry;
import storage.mars.engine.replica.ReplicaSettings;
import storage.mars.engine.server.host.Replicas;
import storage.mars.engine.testkit.sim.SimMachine;
import storage.mars.engine.testkit.sim.SimWorld;

/** A shard that hangs is for liveness to say; readiness answers as fast as ever. */
class EngineHealthTest {

    private static final Duration PROBE = Duration.ofSeconds(1);

    private static final ReplicaSettings SETTINGS =
            new ReplicaSettings(
                    "a",
                    "a:7000",
                    1,
                    1 << 20,
                    4096,
                    PROBE,
                    PROBE,
                    ReplicaSettings.DEFAULT_EPOCHS_KEPT);

    /** Of a machine on which no time passes, so that its shard takes tasks and runs none. */
    private static ObservedEngine hung() {
        SimMachine machine = new SimWorld(1).machine("a", (ports, booted) -> {});
        machine.start();
        Replicas replicas =
                new Replicas(List.of(machine.ports(0)), SETTINGS, new ExportRegistry(), 64 << 20);
        return new ObservedEngine(replicas, () -> 0, () -> 0);
    }

    @Test
    void aHungShardMakesNothingUnreadyWithinTheTimeOfAProbe() {
        EngineHealth health = new EngineHealth();
        health.ready(hung());

        HealthCheckResponse answer = assertTimeoutPreemptively(PROBE, health::loaded);

        assertThat(answer.getStatus()).isEqualTo(HealthCheckResponse.Status.UP);
        assertThat(answer.getData())
                .contains(Map.of("resources", "not known: a shard does not answer"));
    }

    @Test
    void anEngineThatIsNotLoadedIsNotReady() {
        HealthCheckResponse answer = new EngineHealth().loaded();

        assertThat(answer.getStatus()).isEqualTo(HealthCheckResponse.Status.DOWN);
        assertThat(answer.getData()).isEmpty();
    }
}
