// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.replica.Done;
import storage.mars.engine.replica.ReplicaHost;
import storage.mars.engine.replica.Reply;
import storage.mars.engine.testkit.disk.View;
import storage.mars.engine.testkit.oracle.CellPattern;
import storage.mars.engine.testkit.oracle.LogOrder;
import storage.mars.engine.testkit.oracle.PrefixChecker;
import storage.mars.engine.testkit.schedule.SimFailure;
import storage.mars.engine.testkit.sim.SimWorld;
import storage.mars.engine.testkit.workload.Workload;

/** Engines that hold resource r together, and what a story does with them. */
final class RoleCluster {

    static final long VOLUME = 1L << 20;
    static final long BUDGET = 256L << 20;
    private static final long SECOND = 1_000_000_000L;

    private final SimWorld world;
    private final long volume;
    private final long budget;
    private final Map<String, SimEngine> engines = new LinkedHashMap<>();
    private final Map<SimEngine, LogOrder> orders = new LinkedHashMap<>();
    private final RoleLaws laws;

    RoleCluster(SimWorld world, String... names) {
        this(world, VOLUME, BUDGET, names);
    }

    RoleCluster(SimWorld world, long volume, long budget, String... names) {
        this.world = world;
        this.volume = volume;
        this.budget = budget;
        LogLedger ledger = new LogLedger();
        for (String name : names) {
            SimEngine engine = SimEngine.on(world, name);
            LogOrder order = new LogOrder(new CellPattern(world.seed()));
            engine.machine().disk().observe(new LogObserver(name, ledger, order));
            engines.put(name, engine);
            orders.put(engine, order);
        }
        laws = new RoleLaws(world, all());
    }

    SimWorld world() {
        return world;
    }

    RoleLaws laws() {
        return laws;
    }

    SimEngine engine(String name) {
        SimEngine engine = engines.get(name);
        if (engine == null) {
            throw new SimFailure("no engine " + name);
        }
        return engine;
    }

    List<SimEngine> all() {
        return List.copyOf(engines.values());
    }

    /** The log as that engine has written it. */
    LogOrder order(SimEngine engine) {
        return Objects.requireNonNull(orders.get(engine));
    }

    /** What {@code engine} serves is exactly the log of {@code writer} up to {@code position}. */
    void requireExactly(SimEngine writer, long position, SimEngine engine) {
        new PrefixChecker(order(writer), Map.of(0, volume))
                .exactly(position, VolumeReader.read(engine, volume));
    }

    /** The first engine creates r. */
    void created() {
        all().getFirst().startWith(volume, budget);
    }

    /** The first engine creates r, the others join, and all are caught up. */
    RoleCluster born() {
        List<SimEngine> list = all();
        created();
        for (SimEngine other : list.subList(1, list.size())) {
            other.machine().start();
            join(other, list.getFirst());
        }
        untilCaughtUp();
        return this;
    }

    /** Asks {@code primary} for a replica, as often as it takes. */
    void join(SimEngine engine, SimEngine primary) {
        long end = world.scheduler().now() + 120 * SECOND;
        while (!engine.isIn("Secondary")) {
            require("it joins in time", world.scheduler().now() < end);
            engine.joinUnlessUnderWay(primary);
            world.runFor(10_000_000);
        }
    }

    /** The engine that serves in the highest term. */
    @Nullable SimEngine primary() {
        SimEngine found = null;
        long term = -1;
        for (SimEngine engine : all()) {
            if (engine.isIn("Serving") && engine.known().highestTerm() > term) {
                found = engine;
                term = engine.known().highestTerm();
            }
        }
        return found;
    }

    /** Where clients find the volume. */
    Workload.@Nullable Served served() {
        SimEngine primary = primary();
        return primary == null ? null : primary.writable();
    }

    /** Every member runs, is consistent, and has applied all that the primary has. */
    boolean isCaughtUp() {
        SimEngine primary = primary();
        if (primary == null) {
            return false;
        }
        long end = primary.known().positions().durable();
        for (SimEngine engine : all()) {
            boolean up =
                    engine.isReady()
                            && engine.status() != null
                            && engine.known().consistent()
                            && (engine == primary || engine.isIn("Secondary"))
                            && engine.known().positions().durable() == end
                            && engine.known().positions().applied() == end;
            if (!up) {
                return false;
            }
        }
        return true;
    }

    void untilCaughtUp() {
        until("all members are caught up", this::isCaughtUp, 120);
    }

    String describe() {
        StringBuilder words = new StringBuilder();
        for (SimEngine engine : all()) {
            words.append(System.lineSeparator())
                    .append(engine.machine().name())
                    .append(": ")
                    .append(engine.status());
        }
        return words.toString();
    }

    /** Lets {@code count} more requests be answered. */
    void answers(Workload workload, long count) {
        long target = workload.completed() + count;
        until("requests are answered", () -> workload.completed() >= target, 120);
    }

    void require(String what, boolean holds) {
        if (!holds) {
            throw new SimFailure("it is not so that " + what + describe());
        }
    }

    /** Waits; tells all states when it takes too long. */
    void until(String what, BooleanSupplier reached, long seconds) {
        try {
            world.runUntil(what, reached, seconds * SECOND);
        } catch (SimFailure failure) {
            throw new SimFailure(failure.getMessage() + describe(), failure);
        }
    }

    /** All faults end, and all machines run. */
    void heal() {
        world.network().healAll();
        for (SimEngine engine : all()) {
            if (!engine.machine().isRunning()) {
                engine.machine().start();
            }
        }
    }

    /**
     * After the end of all faults: a primary serves, if need be after somebody has asked for the
     * role by plan.
     */
    SimEngine untilServed() {
        for (int i = 0; i < 40; i++) {
            for (int wait = 0; wait < 10 && primary() == null; wait++) {
                world.runFor(SECOND / 2);
            }
            SimEngine found = primary();
            if (found != null) {
                return found;
            }
            SimEngine asked = all().get(i % all().size());
            if (asked.isReady()) {
                outcome(
                        asked,
                        "promotion",
                        (host, reply) -> host.promote("r", true, SimEngine.PATIENCE, reply));
            }
        }
        throw new SimFailure("nobody serves after the end of all faults" + describe());
    }

    /** What became of something that an engine was asked for: empty for done, else why not. */
    String outcome(SimEngine engine, String what, Asking asking) {
        AtomicReference<@Nullable String> answer = new AtomicReference<>();
        engine.ask(host ->
                asking.ask(
                        host,
                        new SimEngine.Either(
                                () -> answer.set(""), refusal -> answer.set(refusal.toString()))));
        int life = engine.machine().starts();
        until(
                what,
                () ->
                        answer.get() != null
                                || !engine.machine().isRunning()
                                || engine.machine().starts() != life,
                90);
        String words = answer.get();
        return words == null ? "its engine has crashed" : words;
    }

    /** One call of the host. */
    interface Asking {
        void ask(ReplicaHost host, Reply<Done> reply);
    }

    private void mustBeDone(SimEngine engine, String what, Asking asking) {
        String refusal = outcome(engine, what, asking);
        if (!refusal.isEmpty()) {
            throw new SimFailure(what + " was refused: " + refusal + describe());
        }
    }

    /** The role goes to {@code target} by plan. */
    void handOver(SimEngine target, boolean closeExports) {
        mustBeDone(
                target,
                "handover",
                (host, reply) -> host.promote("r", closeExports, SimEngine.PATIENCE, reply));
    }

    /** The role goes to {@code target} by force. */
    void force(SimEngine target, long supersedes) {
        mustBeDone(
                target,
                "forced promotion",
                (host, reply) -> host.promoteByForce("r", supersedes, null, reply));
    }

    /** {@code engine} lays the role down. */
    void demote(SimEngine engine) {
        mustBeDone(engine, "demotion", (host, reply) -> host.demote("r", true, null, reply));
    }

    /** Once nothing is written: every image holds the same bytes. */
    void requireSameImages() {
        byte[] expected = null;
        for (SimEngine engine : all()) {
            byte[] image = image(engine);
            if (expected != null && !Arrays.equals(expected, image)) {
                int at = Arrays.mismatch(expected, image);
                throw new SimFailure(
                        "image of " + engine.machine().name() + " differs at " + at + describe());
            }
            expected = image;
        }
    }

    private byte[] image(SimEngine engine) {
        return engine.machine().disk().read(SimEngine.image(), View.CURRENT, 0, (int) volume);
    }

    /** Does something with each engine. */
    void each(Consumer<SimEngine> action) {
        all().forEach(action);
    }
}
