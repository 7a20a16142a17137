// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import storage.mars.engine.export.Attachment;
import storage.mars.engine.export.BlockRequest;
import storage.mars.engine.export.Outcome;
import storage.mars.engine.fake.FakePorts;
import storage.mars.engine.log.LogFormat;
import storage.mars.engine.log.ReplicaMetadata.VolumeShape;
import storage.mars.engine.replica.ReplicaStatus.Condition;
import storage.mars.engine.replication.PeerMessage.JoinAccepted;

/** The soft level of the log budget warns before the hard one costs something. */
class LogBudgetTest {

    private static final long BUDGET = 10L * LogFormat.MIN_SEGMENT;
    private static final int PIECE = 64 << 10;

    private final MembersRig rig = new MembersRig("a", new FakePorts());

    private Attachment created() {
        List<VolumeShape> volumes = List.of(new VolumeShape(0, "v", MembersRig.VOLUME));
        rig.host.create("r", volumes, BUDGET, new MembersRig.MustBeDone());
        rig.fake.run();
        return rig.attach("writer");
    }

    private void write(Attachment client, long bytes) {
        for (long written = 0; written < bytes; written += PIECE) {
            client.submit(new Write());
            rig.fake.run();
        }
    }

    private Condition condition() {
        rig.fake.advance(TimeUnit.SECONDS.toNanos(1));
        return rig.status().conditions().stream()
                .filter(condition -> condition.type().equals("LogBudget"))
                .findFirst()
                .orElseThrow();
    }

    private static final class Write extends BlockRequest {

        Write() {
            op = Op.WRITE;
            length = PIECE;
            data = ByteBuffer.allocateDirect(PIECE);
        }

        @Override
        protected void completed(Outcome outcome) {
            assertThat(outcome).isEqualTo(Outcome.OK);
        }
    }

    @Test
    void aMemberThatIsFarBehindIsNamedBeforeItIsGivenUp() {
        Attachment client = created();
        MembersRig.Member b = rig.new Member(2, "b");
        JoinAccepted as = b.join();
        assertThat(condition().ok()).isTrue();

        write(client, BUDGET * 7 / 10);
        assertThat(condition().ok()).isTrue();
        write(client, BUDGET / 10);

        Condition warned = condition();
        assertThat(warned.ok()).isFalse();
        assertThat(warned.reason()).isEqualTo("MemberBehind");
        assertThat(warned.message()).contains(" bytes of its budget for b, ");
        assertThat(warned.next()).isEqualTo("marsadm status r shows whether it comes nearer");
        assertThat(rig.known().members()).allMatch(ReplicaStatus.MemberStatus::attached);

        b.say(b.hello(as, rig.durable()));
        rig.fake.advance(TimeUnit.MINUTES.toNanos(1));
        assertThat(condition().ok()).isTrue();
    }

    @Test
    void whereShippingIsPausedNobodyIsToBeStruckOff() {
        Attachment client = created();
        rig.new Member(2, "b").join();
        rig.host.pauseShipping("r", true, new MembersRig.MustBeDone());
        rig.fake.run();

        write(client, BUDGET * 8 / 10);

        assertThat(condition().reason()).isEqualTo("MemberBehind");
        assertThat(condition().next()).isEqualTo("marsadm resume-shipping r");
    }

    @Test
    void logThatIsNotInTheImagesYetIsNamedWhereNoMemberIsBehind() {
        Attachment client = created();
        rig.fake.hold(FakePorts.every(FakePorts.Kind.SYNC, "volume-0.img"));

        write(client, BUDGET * 8 / 10);

        assertThat(condition().ok()).isFalse();
        assertThat(condition().reason()).isEqualTo("ImagesBehind");
        rig.fake.holdNothing();
        rig.fake.advance(TimeUnit.MINUTES.toNanos(1));
        assertThat(condition().ok()).isTrue();
    }
}
