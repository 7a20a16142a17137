// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

import storage.mars.engine.replica.LossEstimate;

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
