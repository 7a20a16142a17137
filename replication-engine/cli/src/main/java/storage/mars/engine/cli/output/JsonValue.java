// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli.output;

import com.google.protobuf.Timestamp;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;

/** Scalars as they stand in the JSON: times in UTC and seconds, both to the millisecond. */
final class JsonValue {

    private JsonValue() {}

    static String time(Timestamp timestamp) {
        return Moments.instant(timestamp).truncatedTo(ChronoUnit.MILLIS).toString();
    }

    static double seconds(double seconds) {
        return Math.round(seconds * 1000) / 1000.0;
    }

    static @Nullable String textOrNull(String text) {
        return text.isEmpty() ? null : text;
    }
}
