// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli.unit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TimeSpanTest {

    @ParameterizedTest
    @CsvSource({"250ms, 250", "60s, 60000", "5m, 300000", "1h, 3600000", "0s, 0"})
    void unitIsPartOfTheSpan(String text, long millis) {
        assertThat(TimeSpan.parse(text).duration()).hasMillis(millis);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "60", "s", "1.5s", "-5s", "5 s", "5d", "1h30m", "9999999999s"})
    void whatHasNoSingleUnitIsRefused(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> TimeSpan.parse(text))
                .withMessageContaining("'" + text + "' is not a span of time");
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0 ms",
        "0.25, 250 ms",
        "1, 1.0 s",
        "4.21, 4.2 s",
        "59.9, 59 s",
        "252, 4m 12s",
        "11100, 3h 05m",
        "187200, 2d 04h"
    })
    void peopleReadTheTwoLargestUnits(double seconds, String text) {
        assertThat(TimeSpan.ofSeconds(seconds)).hasToString(text);
    }
}
