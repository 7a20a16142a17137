// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.workload;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.export.Exports;
import storage.mars.engine.testkit.disk.CrashKind;
import storage.mars.engine.testkit.oracle.LinearizabilityChecker;
import storage.mars.engine.testkit.oracle.WriteHistory;
import storage.mars.engine.testkit.sim.SimMachine;
import storage.mars.engine.testkit.sim.SimWorld;

/**
 * Clients of one volume, wherever it is served. They write what the history can recognise, judge
 * what they read at once, and come back when their connection or the engine has ended. When the
 * engine that serves them crashes, the history learns of it and all reads so far are judged
 * together.
 */
public final class Workload {

    /** The volume as it is served now, and by whom. */
    public record Served(SimMachine machine, Exports.Target target) {}

    final SimWorld world;
    final WriteHistory history;
    final LinearizabilityChecker judge;
    final WorkloadSettings settings;
    final int volume;

    private final Supplier<@Nullable Served> where;
    private final List<SimClient> clients = new ArrayList<>();
    private final Set<String> watched = new HashSet<>();
    private boolean running;
    private long completed;
    private long failed;

    /** {@code where} finds the volume; null when it is served nowhere. */
    public Workload(
            SimWorld world,
            WriteHistory history,
            int volume,
            WorkloadSettings settings,
            Supplier<@Nullable Served> where) {
        this.world = world;
        this.history = history;
        this.volume = volume;
        this.settings = settings;
        this.where = where;
        judge = new LinearizabilityChecker(history);
    }

    /** Lets clients connect and ask. */
    public void start() {
        running = true;
        while (clients.size() < settings.clients()) {
            clients.add(new SimClient(this, volume * 100 + clients.size()));
        }
        clients.forEach(SimClient::think);
    }

    /** Nobody asks for anything new from now on; what is under way goes on. */
    public void stop() {
        running = false;
    }

    /** Every client that has a connection ends it; to be served elsewhere, for instance. */
    public void leave() {
        clients.forEach(SimClient::leave);
    }

    public boolean isRunning() {
        return running;
    }

    /** Whether nothing is under way. */
    public boolean isIdle() {
        return clients.stream().allMatch(client -> client.inFlight() == 0);
    }

    /** Requests that succeeded. */
    public long completed() {
        return completed;
    }

    /** Requests that were answered by an error. */
    public long failed() {
        return failed;
    }

    /** Judges all reads together. */
    public void check() {
        judge.check();
    }

    void succeeded() {
        completed++;
    }

    void hasFailed() {
        failed++;
    }

    @Nullable Served find() {
        Served served = where.get();
        if (served != null) {
            watch(served.machine());
        }
        return served;
    }

    private void watch(SimMachine machine) {
        if (watched.add(machine.life().name())) {
            machine.atCrash(kind -> crashed(machine, kind));
        }
    }

    private void crashed(SimMachine machine, CrashKind kind) {
        clients.forEach(client -> client.engineCrashed(machine));
        if (kind == CrashKind.POWER) {
            history.powerCut();
        }
        judge.check();
    }
}
