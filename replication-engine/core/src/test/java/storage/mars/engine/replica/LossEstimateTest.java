// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import storage.mars.engine.log.Epoch;
import storage.mars.engine.log.EpochHistory;
import storage.mars.engine.log.EpochId;
import storage.mars.engine.log.LogFormat;

class LossEstimateTest {

    private static final long START = MembersRig.START;
    private static final long BLOCK = LogFormat.BLOCK;

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
                                + " unknown since the last contact with a primary");
        assertThat(new LossEstimate(false, 0, 0, 0, List.of()).describe())
                .isEqualTo(
                        "at least 0 bytes of log (0.0 s),"
                                + " as no primary of the term in force has been heard");
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

    @Test
    void isExactWhereThePrimaryHasTakenTheRoleBehindThisEnd() {
        MembersRig rig = MembersRig.secondary().consistent();
        rig.c.dial();
        rig.c.say(rig.c.primary(MembersRig.second(START + BLOCK), START + 2 * BLOCK));

        assertThat(loss(rig).exact()).isTrue();
        assertThat(loss(rig).bytes()).isEqualTo(2 * BLOCK);
    }

    @Test
    void aRivalLosesAllBehindTheForkThoughItHoldsLessThanThisReplica() {
        MembersRig rig = MembersRig.secondary().consistent();
        rig.a.hangUp();
        rig.host.promoteByForce("r", 1L, null, new MembersRig.MustBeDone());
        rig.fake.run();
        rig.c.dial();
        rig.c.say(rig.c.primary(MembersRig.second(START - 2 * BLOCK), START));
        assertThat(rig.durable()).isGreaterThan(START);
        MembersRig.Answer answer = new MembersRig.Answer();

        rig.host.promoteByForce("r", 2L, 0L, answer);
        rig.fake.run();

        assertThat(answer.done).isFalse();
        assertThat(Objects.requireNonNull(answer.refusal).code()).isEqualTo("LossTooLarge");
        assertThat(answer.refusal.reason()).contains("at least " + 2 * BLOCK + " bytes");
    }

    @Test
    void ofTwoPrimariesOfOneTermWhatEachOfThemHoldsIsLost() {
        MembersRig rig = MembersRig.secondary().consistent();
        EpochHistory rival =
                MembersRig.FIRST.startedAt(START - 2 * BLOCK, new EpochId(1, 1, 33), MembersRig.C);
        rig.c.dial();
        rig.c.say(rig.c.primary(rival, START + BLOCK));
        rig.a.say(rig.a.primary(MembersRig.FIRST, START + 4 * BLOCK));

        assertThat(loss(rig).exact()).isFalse();
        assertThat(loss(rig).bytes()).isEqualTo((3 + 4) * BLOCK);
    }

    @Test
    void aLogWithNothingInCommonIsLostWholly() {
        MembersRig rig = MembersRig.secondary().consistent();
        EpochHistory other =
                new EpochHistory(
                        List.of(new Epoch(new EpochId(1, 0, 44), MembersRig.C, 0, Epoch.OPEN)));
        rig.c.dial();
        rig.c.say(rig.c.primary(other, START));

        assertThat(loss(rig).exact()).isFalse();
        assertThat(loss(rig).bytes()).isEqualTo(START);
    }

    @Test
    void aPrimaryOfAnOlderTermThanIsInForceSaysNothingOfTheLoss() {
        MembersRig rig = MembersRig.secondary().consistent();
        rig.c.dial();
        rig.c.say(rig.c.secondary(rig.c.primary(MembersRig.second(START), START)));
        rig.a.say(rig.a.primary(MembersRig.FIRST, START));

        assertThat(rig.known().highestTerm()).isEqualTo(2);
        assertThat(loss(rig).exact()).isFalse();
        assertThat(loss(rig).unknownSinceMicros()).isZero();
    }

    @Test
    void aPrimaryThatStartsAgainTakesNothingBackOfWhatItHadSaid() {
        MembersRig rig = MembersRig.secondary().consistent();
        rig.a.say(rig.a.primary(MembersRig.FIRST, START + 3 * BLOCK));
        assertThat(loss(rig).exact()).isTrue();

        rig.a.say(rig.a.secondary(rig.a.primary(MembersRig.FIRST, START)));

        assertThat(loss(rig).exact()).isFalse();
        assertThat(loss(rig).bytes()).isEqualTo(3 * BLOCK);
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
