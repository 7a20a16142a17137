// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import storage.mars.engine.port.BlockFile;
import storage.mars.engine.port.Ports;
import storage.mars.engine.port.Storage;
import storage.mars.engine.testkit.disk.Fate;
import storage.mars.engine.testkit.disk.View;
import storage.mars.engine.testkit.schedule.SimFailure;

class CrashPointsTest {

    private static final long SECOND = 1_000_000_000;

    /** Replaces a file by a new one, the right way round or not. */
    private static void replace(Ports ports, boolean careful) {
        Storage storage = ports.storage();
        storage.delete(
                "new",
                ignored ->
                        storage.create(
                                "new",
                                Storage.Kind.METADATA,
                                512,
                                (file, failure) -> {
                                    if (file != null) {
                                        fill(storage, file, careful);
                                    }
                                }));
    }

    private static void fill(Storage storage, BlockFile file, boolean careful) {
        ByteBuffer ones = ByteBuffer.allocate(512);
        for (int i = 0; i < 512; i++) {
            ones.put(i, (byte) 1);
        }
        file.write(
                0,
                ones,
                written -> {
                    if (careful) {
                        file.sync(synced -> storage.rename("new", "file", renamed -> {}));
                    } else {
                        storage.rename("new", "file", renamed -> file.sync(synced -> {}));
                    }
                });
    }

    private static void scenario(SimWorld world, CrashPlan plan, Set<String> outcomes) {
        SimMachine machine = world.machine("a", (ports, m) -> replace(ports, true));
        machine.start();
        plan.arm(machine);
        world.runFor(SECOND);

        assertThat(plan.isDone()).isTrue();
        outcomes.add(machine.disk().names().toString() + " after " + (machine.starts() - 1));
        assertThat(machine.disk().names()).contains("file");
        assertThat(machine.disk().read("file", View.CURRENT, 0, 512)).containsOnly((byte) 1);
        assertThat(machine.disk().read("file", View.DURABLE, 0, 512)).containsOnly((byte) 1);
    }

    @Test
    void everyPointAndEveryPairIsTried() {
        Set<String> outcomes = new TreeSet<>();

        CrashPoints points =
                new CrashPoints(42, (world, plan) -> scenario(world, plan, outcomes), 100, 100)
                        .run(List.of(Fate.NOTHING, Fate.EVERYTHING));

        assertThat(points.runs()).isEqualTo(1 + 2 * 2 * (5 + 5 * 5));
        assertThat(outcomes).contains("[file] after 2");
    }

    @Test
    void allPointsAreTriedWhereNoneMayBeLeftOut() {
        CrashPoints points =
                CrashPoints.everywhere(42, (world, plan) -> scenario(world, plan, new TreeSet<>()));

        points.run(List.of(Fate.HALF));

        assertThat(points.points()).isEqualTo(5);
        assertThat(points.runs()).isEqualTo(1 + 2 * 5);
    }

    @Test
    void seedsDrawOneCrashOrTwo() {
        Set<String> outcomes = new TreeSet<>();

        for (long seed = 1; seed <= 20; seed++) {
            CrashPoints.drawn(new SimWorld(seed), (world, plan) -> scenario(world, plan, outcomes));
        }

        assertThat(outcomes).contains("[file] after 1", "[file] after 2");
    }

    @Test
    void aPointWhereACrashDoesHarmIsNamed() {
        CrashPoints points =
                new CrashPoints(
                        42,
                        (world, plan) -> {
                            SimMachine machine =
                                    world.machine(
                                            "a",
                                            (ports, m) -> {
                                                if (m.starts() == 1) {
                                                    replace(ports, false);
                                                }
                                            });
                            machine.start();
                            plan.arm(machine);
                            world.runFor(SECOND);
                            if (machine.disk().names().contains("file")) {
                                assertThat(machine.disk().read("file", View.CURRENT, 0, 512))
                                        .containsOnly((byte) 1);
                            }
                        },
                        100,
                        0);

        assertThatThrownBy(() -> points.run(List.of(Fate.NOTHING)))
                .isInstanceOf(SimFailure.class)
                .hasMessageContaining("POWER crash (NOTHING of what was open) at points [4]");
    }

    @Test
    void manyPointsAreTakenAtEqualDistances() {
        assertThat(CrashPoints.spread(5, 10)).containsExactly(1, 2, 3, 4, 5);
        assertThat(CrashPoints.spread(100, 4)).containsExactly(1, 34, 67, 100);
        assertThat(CrashPoints.spread(0, 4)).isEmpty();
    }
}
