// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static storage.mars.engine.fake.FakePorts.every;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import storage.mars.engine.fake.FakePorts;
import storage.mars.engine.log.ReplicaMetadata.VolumeShape;
import storage.mars.engine.port.IoFailure;

/** A removal that storage has kept from its end is ended by the same command. */
class ReplicaRemovalTest {

    private final MembersRig rig = MembersRig.primary();
    private final List<String> answers = new ArrayList<>();

    private final Reply<Boolean> reply =
            new Reply<>() {

                @Override
                public void done(Boolean result) {
                    answers.add(result ? "removed" : "nothing to do");
                }

                @Override
                public void refused(Refusal refusal) {
                    answers.add(refusal.code() + ": " + refusal.next());
                }
            };

    /** How a replica is given up. */
    enum Way {
        DELETE {
            @Override
            void ask(ReplicaHost host, Reply<Boolean> reply) {
                host.delete("r", reply);
            }
        },
        LEAVE {
            @Override
            void ask(ReplicaHost host, Reply<Boolean> reply) {
                host.leave("r", "", true, reply);
            }
        };

        abstract void ask(ReplicaHost host, Reply<Boolean> reply);
    }

    private void ask(Way way) {
        way.ask(rig.host, reply);
        rig.fake.run();
    }

    private void failToMark() {
        rig.fake.failNext(every(FakePorts.Kind.CREATE, "deleting"), IoFailure.Kind.NO_SPACE);
    }

    @ParameterizedTest
    @EnumSource
    void whatAFullDiskHasKeptGoesWhenItIsAskedForAgain(Way way) {
        String advice = "NoSpace: free space in the data directory, then repeat it";
        failToMark();
        ask(way);
        failToMark();
        ask(way);
        assertThat(answers).containsExactly(advice, advice);
        assertThat(rig.fake.names()).isNotEmpty();

        ask(way);
        ask(way);

        assertThat(answers).endsWith("removed", "nothing to do").hasSize(4);
        assertThat(rig.fake.names()).isEmpty();
    }

    @Test
    void aNewReplicaIsNotTakenForTheOneThatWasKept() {
        failToMark();
        ask(Way.DELETE);
        ask(Way.DELETE);
        rig.host.create(
                "r", List.of(new VolumeShape(0, "v", 8192)), 0, new MembersRig.MustBeDone());
        rig.fake.run();
        List<String> files = rig.fake.names();

        rig.host.close(() -> {});
        rig.fake.run();
        ask(Way.DELETE);

        assertThat(answers).endsWith("removed", "nothing to do").hasSize(3);
        assertThat(rig.fake.names()).isEqualTo(files);
    }
}
