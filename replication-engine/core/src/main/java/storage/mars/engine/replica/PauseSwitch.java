// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.log.ReplicaMetadata.Role;
import storage.mars.engine.log.ReplicaMetadata.Switches;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.replication.Shipper;

/**
 * The two switches of an operator: what is shipped, and what is applied. Kept over restarts and
 * changes of role.
 */
final class PauseSwitch {

    private PauseSwitch() {}

    static void shipping(Replica replica, boolean paused, Reply<Done> reply) {
        record(
                replica,
                now -> new Switches(paused, now.applyLimit(), now.logBudgetBytes()),
                reply,
                () -> {
                    for (Session session : replica.members().sessions()) {
                        Shipper shipper = session.shipper;
                        if (shipper != null) {
                            shipper.pause(paused);
                        }
                        if (paused && session.puller != null) {
                            session.endStreams();
                        }
                    }
                    replica.talk().helloAll();
                    replica.talk().judgeAll();
                });
    }

    static void apply(Replica replica, boolean paused, Reply<Done> reply) {
        if (paused && (becomesPrimary(replica) || !replica.isOpen())) {
            reply.refused(
                    Refusal.precondition(
                            "NotSecondary",
                            "apply of " + replica.name + " is not paused",
                            "only a secondary applies what it receives",
                            NextStep.status(replica.name)));
            return;
        }
        if (paused && replica.current().sync().inconsistent()) {
            reply.refused(
                    Refusal.precondition(
                            "Inconsistent",
                            "apply of " + replica.name + " is not paused",
                            "its images are not yet a whole copy",
                            NextStep.marsadm("wait " + replica.name + " --for consistent")));
            return;
        }
        long limit = paused ? pausedAt(replica) : Switches.UNLIMITED;
        if (paused) {
            // What entered after the limit is recorded could be in the images after a crash.
            replica.parts().feed.limit(limit);
        }
        record(
                replica,
                now -> now.withApplyLimit(limit),
                reply,
                () -> {
                    // It may have been paused again since.
                    boolean on = !replica.metadata().latest().switches().applyPaused();
                    if (on && replica.isOpen()) {
                        replica.parts().feed.limit(Switches.UNLIMITED);
                    }
                });
    }

    private static boolean becomesPrimary(Replica replica) {
        return replica.isPrimary() || replica.metadata().latest().role() == Role.PRIMARY;
    }

    private static long pausedAt(Replica replica) {
        Switches asked = replica.metadata().latest().switches();
        return asked.applyPaused() ? asked.applyLimit() : replica.parts().feed.highest();
    }

    private static void record(
            Replica replica, UnaryOperator<Switches> change, Reply<Done> reply, Runnable effect) {
        replica.metadata()
                .update(
                        draft -> draft.switches = change.apply(draft.switches),
                        (@Nullable IoFailure failure) -> {
                            if (failure != null) {
                                replica.metadataFailed(failure);
                                reply.refused(
                                        Refusal.storage(
                                                replica.name + " is not changed",
                                                failure,
                                                NextStep.status(replica.name)));
                                return;
                            }
                            effect.run();
                            replica.changed();
                            reply.done(Done.DONE);
                        });
    }
}
