// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import storage.mars.engine.fake.FakePorts;
import storage.mars.engine.replication.PeerMessage.JoinAccepted;
import storage.mars.engine.replication.PeerMessage.JoinRequest;
import storage.mars.engine.replication.PeerMessage.Refused;

class MemberListTest {

    private final ReplicaRig rig = ReplicaRig.primary();
    private final ReplicaRig.Member b = rig.new Member(2, "b");
    private final ReplicaRig.Member c = rig.new Member(3, "c");

    @Test
    void aJoinThatIsUnderWayWhenTheRoleIsLostIsRefused() {
        JoinAccepted as = b.join();
        rig.fake.hold(FakePorts.every(FakePorts.Kind.LOG_WRITE, "meta"));
        c.dial();
        c.say(new JoinRequest("r", c.id, c.name, "c:1"));
        b.say(b.hello(as, false, 0, as.history(), as.highestTerm() + 1, as.start()));
        rig.fake.holdNothing();

        assertThat(rig.status().state()).isEqualTo("Secondary");
        assertThat(c.last(Refused.class).reason()).contains("not primary");
        assertThat(c.all(JoinAccepted.class)).isEmpty();
    }
}
