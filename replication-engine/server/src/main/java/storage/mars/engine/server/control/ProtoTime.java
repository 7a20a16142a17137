// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.control;

import com.google.protobuf.Timestamp;
import java.time.Duration;
import java.time.Instant;

/** Times between core, JDK and protobuf. */
final class ProtoTime {

    private static final long MICROS = 1_000_000;

    private ProtoTime() {}

    static Timestamp ofMicros(long micros) {
        return Timestamp.newBuilder()
                .setSeconds(Math.floorDiv(micros, MICROS))
                .setNanos((int) Math.floorMod(micros, MICROS) * 1000)
                .build();
    }

    static Timestamp of(Instant instant) {
        return Timestamp.newBuilder()
                .setSeconds(instant.getEpochSecond())
                .setNanos(instant.getNano())
                .build();
    }

    static Duration of(com.google.protobuf.Duration duration) {
        return Duration.ofSeconds(duration.getSeconds(), duration.getNanos());
    }
}
