// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static storage.mars.engine.fake.FakePorts.every;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import storage.mars.engine.fake.FakePorts;
import storage.mars.engine.fake.FakePorts.Kind;
import storage.mars.engine.log.Blocks;
import storage.mars.engine.port.IoFailure;

class ReplicaOpeningTest {

    private static final int FEW = 64;

    @Test
    void aLogThatTheIndexCannotHoldIsEnteredInParts() {
        ReplicaRig before = ReplicaRig.create();
        for (int i = 0; i < 300; i++) {
            before.receive(i * 2L, i % 100 + 1);
        }
        assertThat(before.replica.parts().checkpointer.position()).isZero();
        FakePorts restarted = before.fake.afterProcessCrash();
        restarted.hold(every(Kind.WRITE));

        ReplicaRig after = ReplicaRig.open(restarted, FEW);

        ReplicaParts parts = after.replica.parts();
        assertThat(parts.tail.durable()).isEqualTo(before.replica.parts().tail.durable());
        assertThat(after.indexMemory.held()).isBetween(FEW / 2L, (long) FEW);
        assertThat(parts.feed.isCaughtUp()).isFalse();
        List<@Nullable IoFailure> told = new ArrayList<>();
        ByteBuffer into = ByteBuffer.allocate(Blocks.SIZE);
        parts.reader.read(0, 2L * 299 * Blocks.SIZE, into, false, told::add);
        restarted.run();
        assertThat(told).isEmpty();
        restarted.holdNothing();
        assertThat(parts.feed.isCaughtUp()).isTrue();
        assertThat(told).hasSize(1).containsOnlyNulls();
        assertThat(into.get(0)).isEqualTo((byte) 100);
        assertThat(after.indexMemory.held()).isZero();
    }

    @Test
    void aReplicaThatIsClosedLeavesItsRoomToOthers() {
        ReplicaRig rig = ReplicaRig.create();
        rig.fake.hold(every(Kind.READ));
        rig.fake.failNext(every(Kind.WRITE), IoFailure.Kind.IO_ERROR);
        rig.receive(0, 1);
        assertThat(rig.indexMemory.held()).isPositive();

        rig.replica.close("test", () -> {});
        rig.fake.holdNothing();

        assertThat(rig.indexMemory.held()).isZero();
    }
}
