// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import storage.mars.engine.log.Chain;
import storage.mars.engine.replication.PeerMessage.SyncNeeded;

class PauseSwitchTest {

    @Test
    void aReplicaThatIsCopiedAnewAppliesAgain() {
        ReplicaRig rig = ReplicaRig.secondary().consistent();
        rig.host.pauseApply("r", true, new ReplicaRig.MustBeDone());
        rig.fake.run();
        assertThat(rig.known().applyPaused()).isTrue();

        rig.a.say(
                new SyncNeeded(
                        ReplicaRig.START + (1 << 20),
                        new Chain.Link(3, 4),
                        ReplicaRig.FIRST,
                        "the log is gone"));

        assertThat(rig.known().consistent()).isFalse();
        assertThat(rig.known().applyPaused()).isFalse();
    }
}
