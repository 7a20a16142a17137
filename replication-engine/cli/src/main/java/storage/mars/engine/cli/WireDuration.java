// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import com.google.protobuf.Duration;
import storage.mars.engine.cli.unit.TimeSpan;

/** A span of time as the control API carries it. */
final class WireDuration {

    private WireDuration() {}

    static Duration of(TimeSpan span) {
        return Duration.newBuilder()
                .setSeconds(span.duration().toSeconds())
                .setNanos(span.duration().toNanosPart())
                .build();
    }
}
