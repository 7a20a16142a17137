// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.control;

import org.jspecify.annotations.Nullable;
import storage.mars.engine.replica.Done;
import storage.mars.engine.replica.NextStep;
import storage.mars.engine.replica.Refusal;
import storage.mars.engine.replica.ReplicaHost;
import storage.mars.engine.replica.ReplicaStatus;
import storage.mars.engine.replica.ReplicaStatus.Known;
import storage.mars.engine.replica.Reply;

/** The term that a planned promotion may name. On the shard. */
final class Terms {

    private Terms() {}

    /**
     * Whether the promotion may go on; otherwise {@code reply} has got its answer, which is good
     * when the promotion was done before.
     */
    static boolean agree(
            ReplicaHost host, String name, @Nullable Long supersedes, Reply<Done> reply) {
        ReplicaStatus status = host.status(name);
        Known known = status == null ? null : status.known();
        if (supersedes == null || known == null || known.highestTerm() == supersedes) {
            return true;
        }
        if (known.primary() && known.highestTerm() == supersedes + 1) {
            return true;
        }
        reply.refused(
                new Refusal(
                        Refusal.Kind.PRECONDITION,
                        "StaleTerm",
                        name + " is not promoted",
                        "term " + known.highestTerm() + " is in force, not " + supersedes,
                        NextStep.status(name)));
        return false;
    }
}
