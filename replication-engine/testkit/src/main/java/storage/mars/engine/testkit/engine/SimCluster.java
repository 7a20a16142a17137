// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import storage.mars.engine.testkit.disk.View;
import storage.mars.engine.testkit.net.NetworkSettings;
import storage.mars.engine.testkit.oracle.CellPattern;
import storage.mars.engine.testkit.oracle.Content;
import storage.mars.engine.testkit.oracle.DurabilityChecker;
import storage.mars.engine.testkit.oracle.LogOrder;
import storage.mars.engine.testkit.oracle.PrefixChecker;
import storage.mars.engine.testkit.oracle.ProvenanceChecker;
import storage.mars.engine.testkit.oracle.WriteHistory;
import storage.mars.engine.testkit.schedule.SimFailure;
import storage.mars.engine.testkit.schedule.SimRandom;
import storage.mars.engine.testkit.sim.SimWorld;
import storage.mars.engine.testkit.workload.Workload;
import storage.mars.engine.testkit.workload.WorkloadSettings;

/**
 * One resource with a primary, the first engine, that keeps its role, and any number of
 * secondaries: what is written, what each log holds, and what must be true of all of them.
 */
final class SimCluster {

    static final long MILLISECOND = 1_000_000L;
    static final long SECOND = 1_000 * MILLISECOND;

    /** The last one of the log, what is prepared behind it, and the most spares. */
    private static final long MOST_SEGMENTS = 3 + 24;

    final SimWorld world;
    final WriteHistory history;
    final Workload workload;
    final List<SimEngine> engines = new ArrayList<>();
    private final List<LogObserver> logs = new ArrayList<>();
    private final List<SecondaryReader> readers = new ArrayList<>();
    private final long volumeBytes;
    private final LogOrder order;
    private final PrefixChecker prefix;

    SimCluster(SimWorld world, int members, long volumeBytes, WorkloadSettings settings) {
        this.world = world;
        this.volumeBytes = volumeBytes;
        CellPattern pattern = new CellPattern(world.seed());
        history = new WriteHistory(pattern);
        order = new LogOrder(pattern);
        prefix = new PrefixChecker(order, Map.of(0, volumeBytes));
        // It looks at every byte twice; one run in three is enough.
        boolean provenance = world.random("provenance").chance(1, 3);
        LogLedger ledger = new LogLedger();
        for (int i = 0; i < members; i++) {
            String name = String.valueOf((char) ('a' + i));
            SimEngine engine = SimEngine.on(world, name);
            LogOrder own = i == 0 ? order : new LogOrder(pattern);
            LogObserver log = new LogObserver(name, ledger, own);
            engine.machine().disk().observe(log);
            logs.add(log);
            if (provenance) {
                engine.machine()
                        .disk()
                        .observe(new ProvenanceChecker(history, engine::isConsistentOnDisk));
            }
            engines.add(engine);
        }
        int longest = world.random("lengths").chance(1, 4) ? 256 << 10 : 48 << 10;
        workload =
                new Workload(
                        world, history, 0, settings.withMaxLength(longest), primary()::writable);
    }

    SimEngine primary() {
        return engines.getFirst();
    }

    List<SimEngine> secondaries() {
        return engines.subList(1, engines.size());
    }

    /** Creates the resource and lets every other engine join it. */
    void begin(long logBudget) {
        primary().startWith(volumeBytes, logBudget);
        for (SimEngine engine : secondaries()) {
            engine.machine().start();
            join(engine);
        }
    }

    /** Lets the engine join, as often as it takes. */
    void join(SimEngine engine) {
        await(
                engine.machine().name() + " joins",
                () -> {
                    engine.joinUnlessUnderWay(primary());
                    return engine.isIn("Secondary");
                },
                120 * SECOND);
    }

    /** Waits until that many more requests have been answered. */
    void work(long requests) {
        long target = workload.completed() + requests;
        await("requests are answered", () -> workload.completed() >= target, 300 * SECOND);
    }

    /** Runs until it is so, looking now and then; fails the run when that takes longer. */
    void await(String what, BooleanSupplier reached, long withinNanos) {
        long end = world.scheduler().now() + withinNanos;
        while (!reached.getAsBoolean()) {
            if (world.scheduler().now() > end) {
                StringBuilder words = new StringBuilder("not reached in time: ").append(what);
                engines.forEach(engine -> words.append('\n').append(engine.status()));
                throw new SimFailure(words.toString());
            }
            world.runFor(10 * MILLISECOND);
        }
    }

    /** Nothing may ever be in a state that no fault of the story explains. */
    void requireNoDamage() {
        for (SimEngine engine : engines) {
            for (String state :
                    List.of("Failed", "Corrupt", "Diverged", "DurableLoss", "SplitBrain")) {
                if (engine.isIn(state)) {
                    throw new SimFailure(engine.machine().name() + ": " + engine.status());
                }
            }
        }
    }

    /**
     * Whether no client waits for an answer that will not come: what it asks is refused at once.
     */
    boolean nobodyWaits() {
        long before = workload.failed() + workload.completed();
        world.runFor(MILLISECOND);
        return workload.isIdle() || workload.failed() + workload.completed() > before;
    }

    /** No fault of the story may have come to a client. */
    void requireNoError() {
        if (workload.failed() > 0) {
            throw new SimFailure("clients got errors: " + workload.failed());
        }
    }

    /** What the primary has written to its log. */
    List<LogObserver.Frame> frames() {
        return logs.getFirst().frames();
    }

    /** The primary's log as it is now. */
    LogOrder logOrder() {
        return order.copy();
    }

    /**
     * Fails the run unless the primary's content is its log up to there, with parts at most of what
     * {@code before} has beyond: that may have been in the images when the log lost it.
     */
    void requirePrimaryHoldsPartsOf(LogOrder before, long position) {
        new PrefixChecker(before, Map.of(0, volumeBytes))
                .cells(position, VolumeReader.read(primary(), volumeBytes));
    }

    /** Fails the run unless the primary's content is a prefix of its log up to there, at least. */
    void requirePrimaryHolds(long position) {
        prefix.someAtLeast(position, VolumeReader.read(primary(), volumeBytes));
    }

    /**
     * Fails the run unless what survives a power cut in the image of that stopped engine is a
     * prefix of the log, at least up to there.
     */
    void requireImageHolds(SimEngine engine, long position) {
        Content image =
                (volume, offset, length) ->
                        engine.machine()
                                .disk()
                                .read(SimEngine.image(), View.DURABLE, offset, length);
        prefix.someAtLeast(position, image);
        if (engine == primary()) {
            new DurabilityChecker(history).check(0, volumeBytes, image);
        }
    }

    /** Bytes of the volume. */
    long volumeBytes() {
        return volumeBytes;
    }

    /** Ends all faults and starts what does not run. */
    void heal() {
        // A crash that has been asked for comes before.
        world.runFor(MILLISECOND);
        world.network().healAll();
        world.network().settings(NetworkSettings.local());
        for (SimEngine engine : engines) {
            engine.machine().disk().faults().clear();
            engine.machine().disk().faults().capacity(Long.MAX_VALUE);
            engine.machine().disk().stall(false);
            if (!engine.machine().isRunning()) {
                engine.machine().start();
            }
        }
    }

    /** The end of a story: everything is answered, everybody catches up, all contents are equal. */
    void finish() {
        heal();
        await("engines start", () -> engines.stream().allMatch(SimEngine::isReady), 60 * SECOND);
        for (SimEngine engine : engines) {
            engine.ask(h -> h.pauseShipping("r", false, SimEngine.anyAnswer()));
            engine.ask(h -> h.pauseApply("r", false, SimEngine.anyAnswer()));
        }
        work(20);
        workload.stop();
        world.runUntil("all is answered", workload::isIdle, 100 * SECOND);
        workload.check();
        await("all have caught up", this::isLevel, 200 * SECOND);
        requireNoDamage();
        long end = primary().known().positions().durable();
        for (SimEngine engine : engines) {
            prefix.exactly(end, VolumeReader.read(engine, volumeBytes));
        }
        await("logs are let go", this::areLogsShort, 90 * SECOND);
        new DurabilityChecker(history)
                .check(0, volumeBytes, VolumeReader.read(primary(), volumeBytes));
    }

    /** Nobody keeps more of the log than is needed once all have all of it. */
    private boolean areLogsShort() {
        for (SimEngine engine : engines) {
            if (engine.known().log().usedBytes() > MOST_SEGMENTS * SimEngine.SEGMENT) {
                return false;
            }
        }
        return true;
    }

    private boolean isLevel() {
        if (!primary().isIn("Serving")) {
            return false;
        }
        long end = primary().known().positions().durable();
        for (SimEngine engine : secondaries()) {
            if (!engine.isIn("Secondary") || !engine.known().consistent()) {
                return false;
            }
            if (engine.known().positions().applied() != end) {
                return false;
            }
        }
        return true;
    }

    /**
     * Cuts a consistent secondary off and compares what it serves with the log of the primary up to
     * its own received position.
     */
    void requirePrefix(SimEngine engine) {
        boolean judged = false;
        for (int i = 0; i < 100 && !judged; i++) {
            // The story may have healed a path meanwhile.
            isolate(engine);
            long before = received(engine);
            world.runFor(300 * MILLISECOND);
            judged = before == received(engine) && isPrefix(engine, before);
        }
        for (SimEngine other : engines) {
            world.network().heal(engine.machine().name(), other.machine().name());
        }
        if (!judged) {
            throw new SimFailure(engine.machine().name() + " receives although it is cut off");
        }
    }

    /** False when it has received something while it was read; fails the run when it is wrong. */
    private boolean isPrefix(SimEngine engine, long position) {
        if (!engine.isIn("Secondary") || !engine.known().consistent()) {
            return true;
        }
        Content content = VolumeReader.read(engine, volumeBytes);
        if (received(engine) != position) {
            return false;
        }
        if (engine.known().applyPaused()) {
            prefix.someAtLeast(0, content);
        } else {
            prefix.exactly(position, content);
        }
        return true;
    }

    /**
     * Has clients of the secondaries read now and then, and judges what they get, until the end.
     */
    void readSecondaries(long everyNanos) {
        SimRandom random = world.random("secondary readers");
        for (SimEngine engine : secondaries()) {
            readers.add(new SecondaryReader(engine, prefix, random, volumeBytes));
        }
        readLater(everyNanos);
    }

    /** Pauses or resumes apply somewhere. */
    void pauseApply(SimEngine engine, boolean paused) {
        readers.forEach(SecondaryReader::mayLag);
        engine.ask(h -> h.pauseApply("r", paused, SimEngine.anyAnswer()));
    }

    private void readLater(long everyNanos) {
        world.after(
                everyNanos,
                "readers",
                () -> {
                    readers.forEach(SecondaryReader::act);
                    if (workload.isRunning()) {
                        readLater(everyNanos);
                    }
                });
    }

    /** Reads of secondaries that were judged. */
    long secondaryReads() {
        return readers.stream().mapToLong(SecondaryReader::judged).sum();
    }

    private static long received(SimEngine engine) {
        return engine.isIn("Secondary") ? engine.known().positions().received() : -1;
    }

    void isolate(SimEngine engine) {
        for (SimEngine other : engines) {
            if (!other.equals(engine)) {
                world.network().partition(engine.machine().name(), other.machine().name());
            }
        }
    }
}
