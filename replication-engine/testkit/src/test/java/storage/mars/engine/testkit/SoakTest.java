// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import storage.mars.engine.testkit.sim.SimWorld;

class SoakTest {

    private final ByteArrayOutputStream output = new ByteArrayOutputStream();

    /** Fails from its third seed on. */
    private record Fragile(long limit) implements Scenario {

        @Override
        public String name() {
            return "fragile";
        }

        @Override
        public void run(SimWorld world) {
            world.after(10, "tick", () -> {});
            world.runFor(100);
            if (world.seed() > limit) {
                throw new IllegalStateException("had enough");
            }
        }
    }

    private boolean soak(List<Scenario> scenarios, String... arguments) {
        PrintStream out = new PrintStream(output, true, StandardCharsets.UTF_8);
        return new Soak(scenarios, out).run(Soak.Order.of(arguments));
    }

    @Test
    void aFailureTellsSeedAndReplay() {
        boolean well = soak(List.of(new Fragile(11)), "60", "--seed", "10");

        assertThat(well).isFalse();
        assertThat(output.toString(StandardCharsets.UTF_8))
                .contains("had enough", "-Dmars.sim.seed=12", "--only fragile", "tick");
    }

    @Test
    void timeRunsOut() {
        assertThat(soak(List.of(new Fragile(Long.MAX_VALUE)), "0", "--seed", "1")).isTrue();
        assertThat(output.toString(StandardCharsets.UTF_8)).contains("1 runs, 1 steps");
    }

    @Test
    void nothingToRunIsNoSuccess() {
        assertThat(soak(List.of(), "1")).isFalse();
    }
}
