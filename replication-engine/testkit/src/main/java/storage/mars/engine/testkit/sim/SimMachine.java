// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.port.PeerAcceptor;
import storage.mars.engine.port.Ports;
import storage.mars.engine.testkit.disk.CrashKind;
import storage.mars.engine.testkit.disk.Fate;
import storage.mars.engine.testkit.disk.SimDisk;
import storage.mars.engine.testkit.schedule.Life;
import storage.mars.engine.testkit.schedule.Scheduler;
import storage.mars.engine.testkit.schedule.SimFailure;
import storage.mars.engine.testkit.schedule.SimRandom;
import storage.mars.engine.testkit.schedule.SimShard;

/**
 * A machine: a disk, clocks and an address that last, and an engine that starts and crashes. At a
 * crash all events of the engine are dropped; disk and network resolve what was under way by their
 * fault models. What a crashed engine object holds is garbage: nothing calls it any more.
 */
public final class SimMachine {

    private static final long MAX_WORK_NANOS = 2_000_000;

    private final SimWorld world;
    private final Scheduler scheduler;
    private final String name;
    private final int shardCount;
    private final Boot boot;
    private final SimDisk disk;
    private final SimClock clock;
    private final SimRandom entropy;
    private final List<Ports> ports = new ArrayList<>();
    private final List<Consumer<CrashKind>> atCrash = new ArrayList<>();
    private @Nullable Life life;
    private int starts;
    private int boots = 1;

    SimMachine(SimWorld world, String name, int shardCount, Boot boot) {
        this.world = world;
        this.name = name;
        this.shardCount = shardCount;
        this.boot = boot;
        scheduler = world.scheduler();
        disk = new SimDisk(scheduler, name);
        clock = new SimClock(scheduler, name);
        entropy = scheduler.random("entropy " + name);
    }

    public String name() {
        return name;
    }

    /** Where other engines reach this one. */
    public String address() {
        return name + ":7788";
    }

    public SimDisk disk() {
        return disk;
    }

    public SimClock clock() {
        return clock;
    }

    public SimWorld world() {
        return world;
    }

    /** Counts power-ons; changes with each {@link CrashKind#POWER} crash. */
    public int boots() {
        return boots;
    }

    /** Counts starts of the engine. */
    public int starts() {
        return starts;
    }

    public boolean isRunning() {
        return life != null;
    }

    /** The engine's present life. */
    public Life life() {
        Life present = life;
        if (present == null) {
            throw new SimFailure(name + " is not running");
        }
        return present;
    }

    /** Ports of shard {@code index} of the present life. */
    public Ports ports(int index) {
        return ports.get(index);
    }

    /** Has dials to {@link #address} answered by {@code acceptor} until the crash. */
    public void listen(PeerAcceptor acceptor) {
        world.network().listen(address(), name, life(), acceptor);
    }

    /** Starts a new engine on what the disk holds. */
    public void start() {
        if (life != null) {
            throw new SimFailure(name + " is running already");
        }
        starts++;
        Life born = new Life(name + "#" + starts);
        life = born;
        clock.restart();
        ports.clear();
        for (int i = 0; i < shardCount; i++) {
            ports.add(newPorts(born, "shard " + i));
        }
        Ports first = ports.getFirst();
        first.shard().execute(() -> boot.boot(first, this));
    }

    private Ports newPorts(Life born, String label) {
        SimRandom random = scheduler.random(born.name() + label);
        SimShard shard = new SimShard(scheduler, born, random, clock::worldNanos);
        return new Ports(
                shard,
                clock,
                entropy::nextLong,
                disk.storageFor(shard),
                world.network().networkFor(name, shard),
                (work, done) ->
                        scheduler.onShard(
                                shard,
                                random.below(MAX_WORK_NANOS),
                                "work",
                                0,
                                () -> {
                                    work.run();
                                    done.completed(null);
                                }));
    }

    /** Has {@code task} run at the next crash, when nothing of the engine happens any more. */
    public void atCrash(Consumer<CrashKind> task) {
        atCrash.add(task);
    }

    /** Crashes now, or after the present event, with the fate that the seed decides. */
    public void crash(CrashKind kind) {
        scheduler.defer(() -> crashNow(kind, null));
    }

    /** Crashes as {@link #crash(CrashKind)} does, with that fate of what was under way. */
    public void crash(CrashKind kind, Fate fate) {
        scheduler.defer(() -> crashNow(kind, fate));
    }

    private void crashNow(CrashKind kind, @Nullable Fate fate) {
        Life ending = life;
        if (ending == null) {
            return;
        }
        scheduler.note(name, "crash " + kind, starts);
        ending.end();
        life = null;
        ports.clear();
        if (fate == null) {
            disk.crash(kind);
        } else {
            disk.crash(kind, fate);
        }
        switch (kind) {
            case PROCESS -> world.network().processDied(name);
            case POWER -> {
                world.network().powerFailed(name);
                boots++;
            }
        }
        List<Consumer<CrashKind>> tasks = List.copyOf(atCrash);
        atCrash.clear();
        tasks.forEach(task -> task.accept(kind));
    }

    /** Starts again after {@code delayNanos}, unless it runs then. */
    public void startAfter(long delayNanos) {
        scheduler.inWorld(
                delayNanos,
                "start " + name,
                () -> {
                    if (!isRunning()) {
                        start();
                    }
                });
    }
}
