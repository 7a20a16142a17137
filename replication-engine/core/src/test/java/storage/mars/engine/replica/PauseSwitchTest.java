// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static storage.mars.engine.fake.FakePorts.every;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import storage.mars.engine.fake.FakePorts.Kind;

class PauseSwitchTest {

    private final ReplicaRig rig = ReplicaRig.create();
    private final List<Done> done = new ArrayList<>();

    private void pause(boolean paused) {
        PauseSwitch.apply(
                rig.replica,
                paused,
                new Reply<>() {

                    @Override
                    public void done(Done result) {
                        done.add(result);
                    }

                    @Override
                    public void refused(Refusal refusal) {
                        throw new IllegalStateException(refusal.toString());
                    }
                });
    }

    @Test
    void nothingBehindTheLimitEntersWhileItIsRecorded() {
        rig.receive(0, 1);
        long here = rig.replica.parts().feed.position();
        rig.fake.hold(every(Kind.LOG_WRITE, "/meta"));

        pause(true);
        rig.receive(1, 2);

        assertThat(rig.replica.parts().feed.position()).isEqualTo(here);
        rig.fake.holdNothing();
        assertThat(done).hasSize(1);
        assertThat(rig.replica.current().switches().applyLimit()).isEqualTo(here);
        assertThat(rig.image(1)).isZero();
    }

    @Test
    void aPauseThatWasAskedForBehindAResumptionHolds() {
        pause(true);
        rig.fake.run();
        rig.fake.hold(every(Kind.LOG_WRITE, "/meta"));
        pause(false);
        pause(true);
        rig.receive(1, 2);

        rig.fake.holdNothing();

        assertThat(done).hasSize(3);
        assertThat(rig.image(1)).isZero();
        assertThat(rig.replica.current().switches().applyPaused()).isTrue();
        pause(false);
        rig.fake.run();
        assertThat(rig.image(1)).isEqualTo(2);
    }
}
