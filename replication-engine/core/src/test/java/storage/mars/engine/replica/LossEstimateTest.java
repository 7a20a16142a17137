// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LossEstimateTest {

    private final Locale before = Locale.getDefault();

    @AfterEach
    void restoreTheLocale() {
        Locale.setDefault(before);
    }

    @Test
    void isExactOnlyWhileThePrimaryIsConnected() {
        assertThat(new LossEstimate(true, 8192, 0.26, 0, List.of()).describe())
                .isEqualTo("exactly 8192 bytes of log (0.3 s)");
        assertThat(new LossEstimate(false, 8192, 12, 1, List.of()).describe())
                .isEqualTo(
                        "at least 8192 bytes of log (12.0 s),"
                                + " unknown since the last contact with the primary");
    }

    @Test
    void isExactOnlyWhileThePrimaryIsHeardInTime() {
        MembersRig rig = MembersRig.secondary().consistent();
        rig.fake.advance(TimeUnit.MILLISECONDS.toNanos(1_400));
        assertThat(loss(rig).exact()).isTrue();

        rig.fake.advance(TimeUnit.MILLISECONDS.toNanos(200));

        assertThat(loss(rig).exact()).isFalse();
        assertThat(loss(rig).unknownSinceMicros()).isPositive();
    }

    private static LossEstimate loss(MembersRig rig) {
        return Objects.requireNonNull(rig.known().loss());
    }

    @Test
    void isWordedTheSameInEveryLocale() {
        Locale.setDefault(Locale.GERMANY);

        assertThat(new LossEstimate(true, 0, 1.5, 0, List.of()).describe())
                .isEqualTo("exactly 0 bytes of log (1.5 s)");
    }
}
