// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.control;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.OptionalDouble;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import storage.mars.engine.replica.ReplicaStatus.Sync;

class SyncRatesTest {

    private static final long TOTAL = 1000;

    private final SyncRates rates = new SyncRates();

    private OptionalDouble left(long member, long doneBytes, long millis) {
        return rates.secondsLeft(
                "r", member, new Sync(TOTAL, doneBytes), TimeUnit.MILLISECONDS.toNanos(millis));
    }

    @Test
    void theRateSoFarSaysHowLongTheRestTakes() {
        assertThat(left(2, 100, 0)).isEmpty();
        assertThat(left(2, 200, 400)).isEmpty();

        assertThat(left(2, 300, 1000)).hasValue(3.5);
        assertThat(left(2, TOTAL, 2000)).hasValue(0);
    }

    @Test
    void nothingIsSaidOfASyncThatStands() {
        assertThat(left(2, 100, 0)).isEmpty();

        assertThat(left(2, 100, 10_000)).isEmpty();
    }

    @Test
    void aSyncThatBeginsAnewIsMeasuredAnew() {
        assertThat(left(2, 900, 0)).isEmpty();
        assertThat(left(2, 0, 1000)).isEmpty();

        assertThat(left(2, 500, 2000)).hasValue(1);
        rates.forget("r", 2);
        assertThat(left(2, 600, 3000)).isEmpty();
    }

    @Test
    void eachMemberHasARateOfItsOwn() {
        assertThat(left(2, 0, 0)).isEmpty();
        assertThat(left(3, 0, 0)).isEmpty();

        assertThat(left(2, 500, 1000)).hasValue(1);
        assertThat(left(3, 250, 1000)).hasValue(3);
    }

    @Test
    void anOldRateGivesWayToThePresentOne() {
        assertThat(left(2, 0, 0)).isEmpty();
        assertThat(left(2, 100, 40_000)).isPresent();

        assertThat(left(2, 200, 41_000)).hasValue(8);
    }
}
