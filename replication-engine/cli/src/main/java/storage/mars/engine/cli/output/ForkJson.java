// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli.output;

import java.util.List;
import storage.mars.engine.api.v1.Branch;
import storage.mars.engine.api.v1.Fork;

/** A fork in JSON; the component names are the documented keys. */
record ForkJson(long forkPoint, BranchJson ours, BranchJson theirs) {

    static ForkJson of(Fork fork) {
        return new ForkJson(
                fork.getForkPoint(),
                BranchJson.of(fork.getOurs()),
                BranchJson.of(fork.getTheirs()));
    }

    record BranchJson(String replica, List<ReplicaJson.EpochJson> epochs, long end) {
        static BranchJson of(Branch branch) {
            return new BranchJson(
                    branch.getReplica(),
                    branch.getEpochsList().stream().map(ReplicaJson.EpochJson::of).toList(),
                    branch.getEnd());
        }
    }
}
