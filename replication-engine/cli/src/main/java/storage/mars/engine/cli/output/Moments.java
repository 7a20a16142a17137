// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli.output;

import com.google.protobuf.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import storage.mars.engine.api.v1.Replica;
import storage.mars.engine.cli.unit.TimeSpan;

/** Points in time, in UTC, and how long ago they were by the engine's clock. */
final class Moments {

    private Moments() {}

    static Instant instant(Timestamp timestamp) {
        return Instant.ofEpochSecond(timestamp.getSeconds(), timestamp.getNanos());
    }

    static String toTheSecond(Timestamp timestamp) {
        return instant(timestamp).truncatedTo(ChronoUnit.SECONDS).toString();
    }

    static String ago(Timestamp timestamp, Replica observed) {
        var age = Duration.between(instant(timestamp), instant(observed.getObservedAt()));
        return new TimeSpan(age.isNegative() ? Duration.ZERO : age) + " ago";
    }
}
