// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import storage.mars.engine.testkit.disk.CrashKind;
import storage.mars.engine.testkit.sim.SimMachine;
import storage.mars.engine.testkit.sim.SimWorld;

class SimNetworkTest {

    private static final long SECOND = 1_000_000_000;

    private final Map<String, Talker> talkers = new HashMap<>();
    private SimWorld world = new SimWorld(5);

    @BeforeEach
    void twoMachines() {
        build(5);
    }

    private void build(long seed) {
        world = new SimWorld(seed);
        world.network().settings(NetworkSettings.local().withDialFailures(0));
        for (String name : List.of("a", "b")) {
            world.machine(
                            name,
                            (ports, machine) -> {
                                Talker talker = new Talker(ports);
                                talkers.put(name, talker);
                                machine.listen(talker);
                            })
                    .start();
        }
        world.runFor(SECOND);
    }

    private Talker a() {
        return Objects.requireNonNull(talkers.get("a"));
    }

    private Talker b() {
        return Objects.requireNonNull(talkers.get("b"));
    }

    private SimMachine machine(String name) {
        return world.machine(name);
    }

    private void connect() {
        a().dial(machine("b").address());
        world.runUntil("link", () -> !a().links.isEmpty(), SECOND);
        a().send(0, 1);
        world.runUntil("first message", () -> b().heard.size() == 1, SECOND);
    }

    private static List<Integer> upTo(int end) {
        return IntStream.range(0, end).boxed().toList();
    }

    @Test
    void messagesArriveInOrderBothWays() {
        connect();
        a().send(1, 200);
        b().send(0, 200);

        world.runFor(SECOND);

        assertThat(b().heard).isEqualTo(upTo(200));
        assertThat(a().heard).isEqualTo(upTo(200));
        assertThat(world.network().links("a", "b")).isEqualTo(1);
    }

    @Test
    void dialsAreRefusedWhereNobodyListensAndTimeOutWhereNobodyIs() {
        a().dial("nowhere:1");
        world.runFor(SECOND);
        assertThat(a().failed).singleElement().asString().contains("refused");

        machine("b").crash(CrashKind.PROCESS);
        world.runFor(SECOND);
        a().dial(machine("b").address());
        world.runFor(SECOND);
        assertThat(a().failed).hasSize(2).last().asString().contains("refused");

        machine("b").start();
        world.runFor(SECOND);
        machine("b").crash(CrashKind.POWER);
        world.runFor(SECOND);
        a().dial(machine("b").address());
        world.runFor(4 * SECOND);
        assertThat(a().failed).hasSize(2);
        world.runFor(2 * SECOND);
        assertThat(a().failed).hasSize(3);
    }

    @Test
    void anUnwantedFirstMessageEndsTheLink() {
        b().refuses = true;
        a().dial(machine("b").address());
        world.runFor(SECOND);
        a().send(0, 3);

        world.runFor(SECOND);

        assertThat(a().closed).hasSize(1);
        assertThat(b().heard).isEmpty();
        assertThat(b().closed).isEmpty();
    }

    @Test
    void aCloseIsToldAtBothEnds() {
        connect();
        a().ports.shard().execute(() -> a().links.getFirst().close());

        world.runFor(SECOND);

        assertThat(a().closed).hasSize(1);
        assertThat(b().closed).hasSize(1);
        assertThat(world.network().links("a", "b")).isZero();
    }

    @Test
    void aBrokenLinkLosesATailAndNothingElse() {
        Set<Integer> lengths = new HashSet<>();
        for (int seed = 0; seed < 20; seed++) {
            build(seed);
            connect();
            a().send(1, 50);
            world.runSteps(10);
            world.network().breakLinks("a", "b");
            world.runFor(SECOND);

            assertThat(b().heard).isEqualTo(upTo(b().heard.size()));
            assertThat(a().closed).hasSize(1);
            assertThat(b().closed).hasSize(1);
            lengths.add(b().heard.size());
        }
        assertThat(lengths).hasSizeGreaterThan(5);
    }

    @Test
    void aShortPartitionOnlyDelays() {
        connect();
        world.network().partition("a", "b");
        a().send(1, 10);
        world.runFor(5 * SECOND);
        assertThat(b().heard).hasSize(1);

        world.network().heal("a", "b");
        world.runFor(2 * SECOND);

        assertThat(b().heard).isEqualTo(upTo(10));
        assertThat(a().closed).isEmpty();
    }

    @Test
    void aLongPartitionEndsTheLinkFirstWhereSomethingWasSent() {
        connect();
        world.network().block("a", "b");
        a().send(1, 10);

        world.runUntil("sender gives up", () -> a().closed.size() == 1, 21 * SECOND);
        world.runUntil("the other too", () -> b().closed.size() == 1, 41 * SECOND);

        assertThat(b().heard).hasSize(1);
    }

    @Test
    void aKilledProcessEndsItsLinksSoon() {
        connect();
        machine("a").crash(CrashKind.PROCESS);

        world.runUntil("notice", () -> b().closed.size() == 1, SECOND);

        assertThat(b().heard).hasSize(1);
    }

    @Test
    void aPowerCutIsHeardOfAsSilence() {
        connect();
        machine("a").crash(CrashKind.POWER);

        world.runUntil("notice", () -> b().closed.size() == 1, 41 * SECOND);
    }

    @Test
    void anOldLinkStillDeliversWhileANewOneExists() {
        boolean seen = false;
        for (int seed = 0; seed < 40 && !seen; seed++) {
            build(seed);
            world.network()
                    .settings(
                            NetworkSettings.local()
                                    .withDialFailures(0)
                                    .withLatency(1_000, 200_000_000));
            connect();
            a().send(100, 120);
            world.runSteps(1);
            a().dial(machine("b").address());
            world.runUntil("second link", () -> a().links.size() == 2, 10 * SECOND);
            a().send(1, 2);
            world.runFor(10 * SECOND);
            int mark = b().heard.indexOf(1);
            seen = mark > 0 && b().heard.subList(mark, b().heard.size()).contains(119);
        }
        assertThat(seen).isTrue();
    }

    @Test
    void aFullLinkTellsWhenItIsWritableAgain() {
        world.network()
                .settings(
                        NetworkSettings.local().withDialFailures(0).withBytesPerSecond(1_000_000));
        connect();
        a().send(1, 12_000);
        world.runFor(100_000_000);
        assertThat(a().links.getFirst().isWritable()).isFalse();

        world.runFor(2 * SECOND);

        assertThat(a().writable).isEqualTo(1);
        assertThat(a().links.getFirst().isWritable()).isTrue();
        assertThat(b().heard).hasSize(12_000);
    }
}
