// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.sim;

import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import storage.mars.engine.testkit.net.SimNetwork;
import storage.mars.engine.testkit.schedule.Scheduler;
import storage.mars.engine.testkit.schedule.SimFailure;
import storage.mars.engine.testkit.schedule.SimRandom;
import storage.mars.engine.testkit.schedule.Trace;

/**
 * Machines, the network between them and the time they live in, all of which one seed decides. A
 * scenario builds a world, runs it and looks at it; between two events nothing changes.
 */
public final class SimWorld {

    /** Seed of the only run, when somebody wants to see that one again. */
    public static final String SEED_PROPERTY = "mars.sim.seed";

    private final Scheduler scheduler;
    private final SimNetwork network;
    private final Map<String, SimMachine> machines = new TreeMap<>();
    private final Map<String, Invariant> invariants = new TreeMap<>();

    /** Something that holds after every event. */
    @FunctionalInterface
    public interface Invariant {
        boolean holds();
    }

    public SimWorld(long seed) {
        scheduler = new Scheduler(seed);
        network = new SimNetwork(scheduler);
        scheduler.watch(this::checkInvariants);
    }

    public long seed() {
        return scheduler.seed();
    }

    public Scheduler scheduler() {
        return scheduler;
    }

    public SimNetwork network() {
        return network;
    }

    public Trace trace() {
        return scheduler.trace();
    }

    /** The stream of random numbers of that part of the scenario. */
    public SimRandom random(String label) {
        return scheduler.random(label);
    }

    /** Adds a machine with one shard. */
    public SimMachine machine(String name, Boot boot) {
        return machine(name, 1, boot);
    }

    /** Adds a machine, switched on but with no engine running yet. */
    public SimMachine machine(String name, int shards, Boot boot) {
        SimMachine machine = new SimMachine(this, name, shards, boot);
        if (machines.putIfAbsent(name, machine) != null) {
            throw new IllegalArgumentException("two machines named " + name);
        }
        return machine;
    }

    public SimMachine machine(String name) {
        SimMachine machine = machines.get(name);
        if (machine == null) {
            throw new IllegalArgumentException("no machine named " + name);
        }
        return machine;
    }

    /** How many machines there are. */
    public int machines() {
        return machines.size();
    }

    /** Has {@code invariant} checked after every event from now on. */
    public void invariant(String name, Invariant invariant) {
        invariants.put(name, invariant);
    }

    private void checkInvariants() {
        if (invariants.isEmpty()) {
            return;
        }
        for (Map.Entry<String, Invariant> entry : invariants.entrySet()) {
            if (!entry.getValue().holds()) {
                throw new SimFailure("invariant does not hold: " + entry.getKey());
            }
        }
    }

    /** Runs {@code task} on no machine after {@code delayNanos}. */
    public void after(long delayNanos, String what, Runnable task) {
        scheduler.inWorld(delayNanos, what, task);
    }

    /** See {@link Scheduler#runFor}. */
    public void runFor(long nanos) {
        scheduler.runFor(nanos);
    }

    /** See {@link Scheduler#runUntil}. */
    public void runUntil(String goal, BooleanSupplier reached, long withinNanos) {
        scheduler.runUntil(goal, reached, withinNanos);
    }

    /** See {@link Scheduler#runSteps}. */
    public long runSteps(long count) {
        return scheduler.runSteps(count);
    }

    /** What somebody needs who has to find out why a run has failed. */
    public String describe(int traceLines) {
        return "seed "
                + seed()
                + ", event "
                + scheduler.steps()
                + ", replay with -D"
                + SEED_PROPERTY
                + "="
                + seed()
                + System.lineSeparator()
                + trace().tail(traceLines);
    }
}
