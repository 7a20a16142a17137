// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.export.ExportRegistry;
import storage.mars.engine.export.Exports;
import storage.mars.engine.log.ReplicaMetadata.VolumeShape;
import storage.mars.engine.port.PeerAcceptor;
import storage.mars.engine.port.PeerLink;
import storage.mars.engine.port.Ports;
import storage.mars.engine.port.Shard;
import storage.mars.engine.replica.Done;
import storage.mars.engine.replica.Refusal;
import storage.mars.engine.replica.ReplicaHost;
import storage.mars.engine.replica.ReplicaSettings;
import storage.mars.engine.replica.ReplicaStatus;
import storage.mars.engine.replica.Reply;
import storage.mars.engine.replication.PeerCodec;
import storage.mars.engine.testkit.disk.CrashKind;
import storage.mars.engine.testkit.schedule.SimFailure;
import storage.mars.engine.testkit.sim.SimMachine;
import storage.mars.engine.testkit.sim.SimWorld;
import storage.mars.engine.testkit.workload.Workload;

/** The engine on one simulated machine, over all its lives. */
public final class SimEngine {

    /** Small enough that segments change, are recycled and run out within a run. */
    static final int SEGMENT = 2 << 20;

    /** Time that a handover is given. */
    static final Duration PATIENCE = Duration.ofSeconds(30);

    private static final long LOG_MEMORY = 8L << 20;
    private static final long SECOND = 1_000_000_000L;

    private final SimMachine machine;
    private @Nullable ReplicaHost host;
    private @Nullable ReplicaHost opening;
    private boolean joining;
    private int indexBlocks = 4096;
    private @Nullable ExportRegistry exports;
    private @Nullable Shard shard;
    private boolean changed;
    private int readyStart;

    private SimEngine(SimWorld world, String name) {
        machine = world.machine(name, this::boot);
    }

    /** A machine of that name, not yet started. */
    public static SimEngine on(SimWorld world, String name) {
        return new SimEngine(world, name);
    }

    public SimMachine machine() {
        return machine;
    }

    /** How many blocks the index may hold, from the next start on. */
    void indexBlocks(int blocks) {
        indexBlocks = blocks;
    }

    /** Whether received log may wait for room in the index, so that reads do not see it yet. */
    boolean isIndexSmall() {
        return indexBlocks < 1024;
    }

    private void boot(Ports ports, SimMachine on) {
        ExportRegistry registry = new ExportRegistry();
        ReplicaHost born = new ReplicaHost(ports, settings(), registry, LOG_MEMORY);
        host = null;
        opening = born;
        joining = false;
        exports = registry;
        shard = ports.shard();
        born.watch(name -> changed = true);
        born.openAll(
                name -> true,
                new Expect<>(
                        "resources open",
                        done -> {
                            host = born;
                            readyStart = on.starts();
                            on.listen(new Acceptor(ports.shard(), born));
                        }));
    }

    private ReplicaSettings settings() {
        return new ReplicaSettings(
                machine.name(),
                machine.address(),
                machine.boots(),
                SEGMENT,
                indexBlocks,
                Duration.ofSeconds(1),
                Duration.ofSeconds(10),
                machine.world().seed() % 2 == 0 ? 2 : ReplicaSettings.DEFAULT_EPOCHS_KEPT);
    }

    /** Hands incoming links to the resource that they name. */
    private static final class Acceptor implements PeerAcceptor {

        private final Shard shard;
        private final ReplicaHost host;
        private @Nullable String resource;

        Acceptor(Shard shard, ReplicaHost host) {
            this.shard = shard;
            this.host = host;
        }

        @Override
        public @Nullable Shard shardFor(ByteBuffer firstMessage) {
            resource = PeerCodec.resourceOf(firstMessage);
            return resource == null ? null : shard;
        }

        @Override
        public PeerLink.Receiver accepted(PeerLink link) {
            return host.accept("r", link);
        }
    }

    /** A reply that must be good. */
    private record Expect<T>(String what, Consumer<T> then) implements Reply<T> {

        @Override
        public void done(T result) {
            then.accept(result);
        }

        @Override
        public void refused(Refusal refusal) {
            throw new SimFailure(what + " was refused: " + refusal);
        }
    }

    /** A reply that may be either. */
    record Either(Runnable done, Consumer<Refusal> refused) implements Reply<Done> {

        @Override
        public void done(Done result) {
            done.run();
        }

        @Override
        public void refused(Refusal refusal) {
            refused.accept(refusal);
        }
    }

    /** For what may be refused. */
    static Reply<Done> anyAnswer() {
        return new Either(() -> {}, refusal -> {});
    }

    boolean isReady() {
        return machine.isRunning() && host != null && readyStart == machine.starts();
    }

    ReplicaHost host() {
        ReplicaHost present = host;
        if (present == null) {
            throw new SimFailure(machine.name() + " has not started");
        }
        return present;
    }

    /** Has the host do something, on its shard. */
    void ask(Consumer<ReplicaHost> action) {
        Shard on = shard;
        if (on != null && isReady()) {
            on.execute(() -> action.accept(host()));
        }
    }

    @Nullable ReplicaStatus status() {
        return isReady() ? host().status("r") : null;
    }

    /** State and reason, in that order; both empty while nothing is known. */
    List<String> stateAndReason() {
        ReplicaStatus status = status();
        return status == null ? List.of("", "") : List.of(status.state(), status.reason());
    }

    /** Whether a replica has changed since this was asked last. */
    boolean takeChanged() {
        boolean was = changed;
        changed = false;
        return was;
    }

    /** Whether status shows that condition with that reason. */
    boolean shows(String type, String reason) {
        ReplicaStatus status = status();
        return status != null
                && status.conditions().stream()
                        .anyMatch(c -> c.type().equals(type) && c.reason().equals(reason));
    }

    boolean isIn(String state) {
        ReplicaStatus status = status();
        return status != null && status.state().equals(state);
    }

    ReplicaStatus.Known known() {
        ReplicaStatus status = status();
        ReplicaStatus.Known known = status == null ? null : status.known();
        if (known == null) {
            throw new SimFailure(machine.name() + " knows nothing of r: " + status);
        }
        return known;
    }

    /** Starts the machine and creates resource r with one volume. */
    void startWith(long volumeBytes, long logBudget) {
        machine.start();
        machine.world().runUntil("engine starts", this::isReady, 10 * SECOND);
        ask(h ->
                h.create(
                        "r",
                        List.of(new VolumeShape(0, "data", volumeBytes)),
                        logBudget,
                        new Expect<>("create", done -> {})));
        machine.world().runUntil("r serves", () -> isIn("Serving"), 30 * SECOND);
    }

    /** Creates another resource with one volume, of which nobody but its clients knows. */
    void createAlso(String name, long volumeBytes, long logBudget) {
        ask(h ->
                h.create(
                        name,
                        List.of(new VolumeShape(0, "data", volumeBytes)),
                        logBudget,
                        new Expect<>("create", done -> {})));
        machine.world().runUntil(name + " serves", () -> writable(name) != null, 30 * SECOND);
    }

    /** Asks to join resource r unless it holds a replica of it or is asking already. */
    void joinUnlessUnderWay(SimEngine primary) {
        if (!isReady() || joining || status() != null) {
            return;
        }
        joining = true;
        Either reply = new Either(() -> joining = false, refusal -> joining = false);
        ask(h -> h.join("r", primary.machine.address(), reply));
    }

    /**
     * Stops the engine by plan. When it has stopped its process ends, or its machine is switched
     * off, and {@code then} runs; it does not when the engine crashes before.
     */
    void stop(CrashKind end, Runnable then) {
        int start = machine.starts();
        Runnable exit =
                () -> {
                    if (machine.isRunning() && machine.starts() == start) {
                        machine.atCrash(kind -> then.run());
                        machine.crash(end);
                    }
                };
        ask(h -> h.close(() -> machine.world().after(1, "exit", exit)));
    }

    /** Whether the durable metadata says now that the images are a whole copy. */
    boolean isConsistentOnDisk() {
        ReplicaHost present = opening;
        ReplicaStatus status = present == null ? null : present.status("r");
        return status != null && status.known() != null && status.known().consistent();
    }

    /** Starts the machine and joins resource r. */
    void startAndJoin(SimEngine primary) {
        machine.start();
        machine.world().runUntil("engine starts", this::isReady, 10 * SECOND);
        ask(h -> h.join("r", primary.machine.address(), new Expect<>("join", done -> {})));
        machine.world().runUntil("r is joined", () -> isIn("Secondary"), 60 * SECOND);
    }

    /** The volume as clients find it here, if it can be written. */
    Workload.@Nullable Served writable() {
        return writable("r");
    }

    /** The volume of that resource as clients find it here, if it can be written. */
    Workload.@Nullable Served writable(String resource) {
        ExportRegistry registry = exports;
        Exports.Target target =
                registry == null || !isReady() ? null : registry.find(resource + "/data");
        return target == null || target.info().readOnly()
                ? null
                : new Workload.Served(machine, target);
    }

    Exports.@Nullable Target target() {
        ExportRegistry registry = exports;
        return registry == null || !isReady() ? null : registry.find("r/data");
    }

    static String image() {
        return "resources/r/volume-0.img";
    }
}
