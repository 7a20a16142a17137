// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import storage.mars.engine.port.Clock;
import storage.mars.engine.port.Ports;
import storage.mars.engine.testkit.disk.CrashKind;
import storage.mars.engine.testkit.schedule.SimFailure;

class SimWorldTest {

    private static final long SECOND = 1_000_000_000;

    private final SimWorld world = new SimWorld(3);
    private final List<String> log = new ArrayList<>();

    @Test
    void bootRunsOnTheShardAtEveryStart() {
        SimMachine machine =
                world.machine(
                        "a",
                        2,
                        (ports, m) -> {
                            assertThat(ports.shard().isCurrent()).isTrue();
                            assertThat(m.ports(1).shard()).isNotEqualTo(ports.shard());
                            log.add("boot " + m.starts() + "/" + m.boots());
                        });
        machine.start();
        world.runFor(SECOND);
        machine.crash(CrashKind.PROCESS);
        machine.startAfter(SECOND);
        world.runFor(2 * SECOND);
        machine.crash(CrashKind.POWER);
        machine.startAfter(SECOND);
        world.runFor(2 * SECOND);

        assertThat(log).containsExactly("boot 1/1", "boot 2/1", "boot 3/2");
    }

    @Test
    void aCrashDropsTimersTasksAndCompletions() {
        SimMachine machine =
                world.machine(
                        "a",
                        (ports, m) -> {
                            ports.shard().schedule(SECOND, () -> log.add("timer"));
                            ports.storage().createDirectory("d", failure -> log.add("directory"));
                            m.crash(CrashKind.PROCESS);
                            ports.shard().execute(() -> log.add("task"));
                            log.add("the present event goes on");
                        });
        machine.start();

        world.runFor(10 * SECOND);

        assertThat(log).containsExactly("the present event goes on");
        assertThat(machine.isRunning()).isFalse();
    }

    @Test
    void clocksDriftApartAndTheWallJumps() {
        SimMachine a = world.machine("a", (ports, m) -> {});
        SimMachine b = world.machine("b", (ports, m) -> {});
        a.start();
        b.start();
        Clock mine = a.clock();
        long nanos = mine.nanoTime();
        long wall = mine.wallMicros();
        a.clock().jumpWall(-3_600_000_000L);

        world.runFor(1_000 * SECOND);

        long passed = mine.nanoTime() - nanos;
        assertThat(passed).isBetween(999_700_000_000L, 1_000_300_000_000L);
        assertThat(passed).isNotEqualTo(1_000 * SECOND);
        assertThat(mine.wallMicros()).isLessThan(wall);
    }

    @Test
    void entropyDiffersByMachineAndGoesOnAfterACrash() {
        Set<Long> drawn = new HashSet<>();
        Boot boot = (Ports ports, SimMachine m) -> drawn.add(ports.entropy().nextLong());
        for (String name : List.of("a", "b")) {
            SimMachine machine = world.machine(name, boot);
            machine.start();
            world.runFor(SECOND);
            machine.crash(CrashKind.POWER);
            machine.startAfter(1);
        }
        world.runFor(SECOND);

        assertThat(drawn).hasSize(4);
    }

    @Test
    void aBrokenInvariantFailsTheRunAtOnce() {
        int[] value = new int[1];
        world.invariant("small", () -> value[0] < 5);
        for (int i = 1; i <= 10; i++) {
            world.after(i * SECOND, "grow", () -> value[0]++);
        }

        assertThatThrownBy(() -> world.runFor(20 * SECOND))
                .isInstanceOf(SimFailure.class)
                .hasMessageContaining("small");
        assertThat(value[0]).isEqualTo(5);
        assertThat(world.describe(5)).contains("-Dmars.sim.seed=3", "grow");
    }
}
