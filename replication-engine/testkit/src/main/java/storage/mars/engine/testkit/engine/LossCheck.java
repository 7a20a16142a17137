// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import storage.mars.engine.replica.LossEstimate;
import storage.mars.engine.replica.ReplicaStatus.Known;

/** Whether a secondary says rightly what a forced promotion would lose. */
final class LossCheck {

    private LossCheck() {}

    /** It says so exactly only when connected, and not more than is so. */
    static void whileConnected(RoleCluster cluster, SimEngine primary, SimEngine secondary) {
        LossEstimate loss = secondary.known().loss();
        boolean connected =
                secondary.known().members().stream().anyMatch(m -> m.primary() && m.connected());
        cluster.require("there is an estimate", loss != null && (connected || !loss.exact()));
        of(cluster, primary, secondary);
    }

    /**
     * What {@code engine} says, if anything, is all that each of the {@code primaries} holds beyond
     * what both have in common, where it is called exact, and no more where it is not. Nothing is
     * being written, and nothing received.
     */
    static void amongRivals(RoleCluster cluster, SimEngine engine, SimEngine... primaries) {
        LossEstimate loss = engine.known().loss();
        if (loss == null) {
            return;
        }
        long truth = 0;
        for (SimEngine primary : primaries) {
            truth += behindTheFork(engine.known(), primary.known());
        }
        cluster.require(
                "what would be lost is told: " + loss + ", truth " + truth,
                loss.exact() ? loss.bytes() == truth : loss.bytes() <= truth);
    }

    private static long behindTheFork(Known own, Known primary) {
        long durable = primary.positions().durable();
        long common =
                own.history().commonEnd(own.positions().durable(), primary.history(), durable);
        return durable - Math.max(0, common);
    }

    /** It never says more than is so. */
    static void of(RoleCluster cluster, SimEngine primary, SimEngine secondary) {
        LossEstimate loss = secondary.known().loss();
        if (loss != null && primary.isIn("Serving")) {
            long truth =
                    primary.known().positions().durable() - secondary.known().positions().durable();
            cluster.require(
                    "no more is said to be lost than is: " + loss + ", truth " + truth,
                    loss.bytes() <= truth);
        }
    }
}
