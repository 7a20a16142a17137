// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import org.jspecify.annotations.Nullable;
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
        Switches now = replica.current().switches();
        record(
                replica,
                new Switches(paused, now.applyLimit(), now.logBudgetBytes()),
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
        if (paused && (replica.isPrimary() || !replica.isOpen())) {
            reply.refused(
                    Refusal.precondition(
                            "NotSecondary",
                            "apply of " + replica.name + " is not paused",
                            "only a secondary applies what it receives",
                            "marsadm status " + replica.name));
            return;
        }
        Switches now = replica.current().switches();
        if (paused == now.applyPaused()) {
            reply.done(Done.DONE);
            return;
        }
        if (paused && replica.current().sync().inconsistent()) {
            reply.refused(
                    Refusal.precondition(
                            "Inconsistent",
                            "apply of " + replica.name + " is not paused",
                            "its images are not yet a whole copy",
                            "marsadm wait " + replica.name + " --for consistent"));
            return;
        }
        long limit = paused ? replica.parts().feed.position() : Switches.UNLIMITED;
        if (paused) {
            replica.parts().feed.limit(limit);
        }
        record(
                replica,
                new Switches(now.shippingPaused(), limit, now.logBudgetBytes()),
                reply,
                () -> {
                    if (replica.isOpen()) {
                        replica.parts().feed.limit(limit);
                    }
                });
    }

    private static void record(
            Replica replica, Switches switches, Reply<Done> reply, Runnable effect) {
        replica.metadata()
                .update(
                        draft -> draft.switches = switches,
                        (@Nullable IoFailure failure) -> {
                            if (failure != null) {
                                replica.metadataFailed(failure);
                                reply.refused(
                                        Refusal.storage(replica.name + " is not changed", failure));
                                return;
                            }
                            effect.run();
                            replica.changed();
                            reply.done(Done.DONE);
                        });
    }
}
