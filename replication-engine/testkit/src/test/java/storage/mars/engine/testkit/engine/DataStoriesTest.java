// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import storage.mars.engine.testkit.sim.SimWorld;
import storage.mars.engine.testkit.workload.WorkloadSettings;

/** Stories that have failed once, each told as shortly as it shows. */
class DataStoriesTest {

    private static final long MILLISECOND = 1_000_000L;
    private static final long MINUTE = 60_000 * MILLISECOND;
    private static final long SECOND = 1_000 * MILLISECOND;
    private static final long VOLUME = 1L << 20;

    private static SimCluster underLoad(long budget) {
        SimWorld world = new SimWorld(1);
        WorkloadSettings settings = WorkloadSettings.mixed().withThinkNanos(2 * MILLISECOND);
        SimCluster cluster = new SimCluster(world, 2, VOLUME, settings);
        cluster.begin(budget);
        cluster.workload.start();
        cluster.work(300);
        return cluster;
    }

    @Test
    void aHelloOlderThanTheLogBehindItIsNoFork() {
        SimCluster cluster = underLoad(32L << 20);
        SimEngine secondary = cluster.secondaries().getFirst();
        for (int i = 0; i < 10; i++) {
            boolean paused = i % 2 == 0;
            secondary.ask(h -> h.pauseShipping("r", paused, SimEngine.anyAnswer()));
            cluster.work(50);
            assertThat(secondary.isIn("Secondary")).isTrue();
        }
        cluster.finish();
    }

    @Test
    void switchesThatAreChangedAtOnceKeepEachOther() {
        SimCluster cluster = underLoad(32L << 20);
        SimEngine secondary = cluster.secondaries().getFirst();
        for (int i = 0; i < 10; i++) {
            boolean paused = i % 2 == 0;
            secondary.ask(h -> {
                h.pauseApply("r", paused, SimEngine.anyAnswer());
                h.pauseShipping("r", paused, SimEngine.anyAnswer());
            });
            cluster.work(50);
            assertThat(secondary.known().applyPaused()).isEqualTo(paused);
            assertThat(secondary.known().shippingPaused()).isEqualTo(paused);
        }
        cluster.finish();
    }

    @Test
    void aMemberThatIsDroppedWhileConnectedComesBack() {
        SimCluster cluster = underLoad(8L << 20);
        SimEngine secondary = cluster.secondaries().getFirst();
        secondary.ask(h -> h.pauseShipping("r", true, SimEngine.anyAnswer()));
        cluster.await(
                "it is dropped",
                () -> cluster.primary().shows("MembersAttached", "LogBudget"),
                60_000 * MILLISECOND);
        cluster.finish();
    }

    @Test
    void aMemberIsNotDroppedWhileTheSpaceOfAnotherIsComingBack() {
        SimWorld world = new SimWorld(1);
        WorkloadSettings settings = WorkloadSettings.mixed().withThinkNanos(2 * MILLISECOND);
        SimCluster cluster = new SimCluster(world, 3, VOLUME, settings);
        cluster.begin(32L << 20);
        cluster.workload.start();
        SimEngine far = cluster.engines.get(1);
        SimEngine near = cluster.engines.get(2);
        far.ask(h -> h.pauseShipping("r", true, SimEngine.anyAnswer()));
        long begin = durable(cluster);
        cluster.await("the log grows", () -> durable(cluster) > begin + (8 << 20), MINUTE);
        near.ask(h -> h.pauseShipping("r", true, SimEngine.anyAnswer()));
        cluster.await("it grows on", () -> durable(cluster) > begin + (26 << 20), MINUTE);
        cluster.primary()
                .machine()
                .disk()
                .faults()
                .slowFiles(name -> name.endsWith("/meta"), 10_000 * MILLISECOND);
        cluster.await("it is full", () -> !attached(cluster, "b"), MINUTE);
        long full = durable(cluster);

        cluster.await("it goes on", () -> durable(cluster) > full + (4 << 20), MINUTE);

        assertThat(attached(cluster, "c")).isTrue();
        cluster.finish();
    }

    private static long durable(SimCluster cluster) {
        return cluster.primary().known().positions().durable();
    }

    private static boolean attached(SimCluster cluster, String name) {
        return cluster.primary().known().members().stream()
                .anyMatch(member -> member.name().equals(name) && member.attached());
    }

    @Test
    void secondariesAreReadAndJudged() {
        SimCluster cluster = underLoad(32L << 20);
        cluster.readSecondaries(MILLISECOND);
        cluster.work(300);

        assertThat(cluster.secondaryReads()).isGreaterThan(20);
        cluster.finish();
    }

    /** What it has dropped it asks for again, and what was under way then is left out. */
    @Test
    void aStalledSecondaryKeepsNoMoreThanItsMemoryAndCatchesUp() {
        SimWorld world = new SimWorld(1);
        WorkloadSettings settings = WorkloadSettings.mixed().withThinkNanos(2 * MILLISECOND);
        SimCluster cluster = new SimCluster(world, 2, VOLUME, settings);
        SimEngine secondary = cluster.secondaries().getFirst();
        secondary.indexBlocks(100);
        cluster.begin(64L << 20);
        cluster.workload.start();
        long forControlRecords = 2L << 20;
        world.invariant(
                "log memory is bounded",
                () ->
                        !secondary.isReady()
                                || secondary.host().logMemoryTaken()
                                        <= secondary.host().logMemoryLimit() + forControlRecords);
        for (int i = 0; i < 4; i++) {
            secondary.machine().disk().faults().slowFiles(name -> name.endsWith(".img"), SECOND);
            cluster.work(400);
            secondary.machine().disk().faults().clear();
            cluster.work(100);
        }
        cluster.finish();
    }
}
