// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.engine;

/** What a change of role leaves behind. */
final class ReplicaChange {

    private ReplicaChange() {}

    /** It serves in the term after {@code term}, under a new incarnation. */
    static void requirePromoted(
            RoleCluster cluster, SimEngine engine, long term, long incarnation) {
        var known = engine.known();
        cluster.require(
                "it serves in the next term",
                engine.isIn("Serving")
                        && known.highestTerm() == term + 1
                        && known.history().lastId().term() == term + 1
                        && known.history().lastId().sequence() == 0
                        && known.history().last().writer() == known.replicaId());
        cluster.require("its incarnation is new", known.incarnation() != incarnation);
    }
}
