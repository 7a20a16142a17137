// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import storage.mars.engine.log.Epoch;
import storage.mars.engine.replica.ReplicaStatus;
import storage.mars.engine.replica.ReplicaStatus.MemberStatus;
import storage.mars.engine.testkit.schedule.SimFailure;
import storage.mars.engine.testkit.sim.SimWorld;

/**
 * What holds between roles after every event in which a replica has changed: an id names one epoch,
 * a term has one writer unless two were forced, terms never go back, and nobody offers to write who
 * has heard of a higher term.
 */
final class RoleLaws {

    private record Origin(long term, long writer, long start) {}

    /** What no crash and no network explains; stories of damage do without these laws. */
    private static final Set<String> DAMAGE =
            Set.of("Failed", "Corrupt", "DurableLoss", "Diverged");

    private final List<SimEngine> engines;
    private final Map<Long, Origin> epochs = new HashMap<>();
    private final Map<Long, Long> writers = new HashMap<>();
    private final Map<String, Long> terms = new HashMap<>();
    private boolean rivals;
    private boolean forced;
    private boolean damaged;
    private long judged;

    RoleLaws(SimWorld world, List<SimEngine> engines) {
        this.engines = List.copyOf(engines);
        world.invariant("roles", this::hold);
    }

    /** Two sides may be forced into the same term from now on. */
    void allowRivals() {
        rivals = true;
    }

    /** Somebody is promoted by force from now on: data may come to lie on branches. */
    void allowForce() {
        forced = true;
    }

    /** The story damages disks. */
    void allowDamage() {
        damaged = true;
    }

    /** How often something has changed and was judged. */
    long judged() {
        return judged;
    }

    private boolean hold() {
        for (SimEngine engine : engines) {
            if (engine.takeChanged()) {
                ReplicaStatus status = engine.status();
                if (status != null && status.known() != null) {
                    judged++;
                    judge(engine, status, engine.known());
                }
            }
        }
        return true;
    }

    private void judge(SimEngine engine, ReplicaStatus status, ReplicaStatus.Known known) {
        String name = engine.machine().name();
        Long before = terms.put(name, known.highestTerm());
        if (!damaged && before != null && before > known.highestTerm()) {
            throw new SimFailure(name + " forgets term " + before + ": " + status);
        }
        if (!damaged
                && DAMAGE.contains(status.state())
                && !(forced && status.state().equals("Diverged"))) {
            throw new SimFailure(name + " is damaged: " + status);
        }
        for (Epoch epoch : known.history().epochs()) {
            one(name, epoch);
        }
        if (engine.writable() != null) {
            mayWrite(name, status, known);
        }
    }

    private void one(String name, Epoch epoch) {
        Origin origin = new Origin(epoch.id().term(), epoch.writer(), epoch.start());
        Origin known = epochs.putIfAbsent(epoch.id().id(), origin);
        boolean same =
                known == null
                        || (known.term == origin.term
                                && known.writer == origin.writer
                                && known.start == origin.start);
        if (!same) {
            throw new SimFailure(name + " knows epoch " + epoch + " as another: " + known);
        }
        Long writer = writers.putIfAbsent(epoch.id().term(), epoch.writer());
        if (!rivals && writer != null && writer != epoch.writer()) {
            throw new SimFailure(
                    "term " + epoch.id().term() + " has two writers, as " + name + " knows");
        }
    }

    private static void mayWrite(String name, ReplicaStatus status, ReplicaStatus.Known known) {
        long term = known.history().lastId().term();
        boolean outdated = known.highestTerm() > term;
        for (MemberStatus member : known.members()) {
            outdated |= member.term() > term;
        }
        if (!known.primary() || outdated || !status.state().equals("Serving")) {
            throw new SimFailure(name + " offers to write in term " + term + ": " + status);
        }
    }
}
