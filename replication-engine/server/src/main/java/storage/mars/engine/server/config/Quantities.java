// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.config;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads sizes and durations as they are written on the command line. */
final class Quantities {

    private static final Pattern QUANTITY = Pattern.compile("([0-9]{1,15})([A-Za-z]*)");

    private Quantities() {}

    /** A size such as {@code 96MiB}, in bytes. */
    static long bytes(String text) {
        Matcher matcher = QUANTITY.matcher(text);
        if (matcher.matches()) {
            int shift =
                    switch (matcher.group(2)) {
                        case "", "B" -> 0;
                        case "KiB" -> 10;
                        case "MiB" -> 20;
                        case "GiB" -> 30;
                        default -> -1;
                    };
            long number = Long.parseLong(matcher.group(1));
            if (shift >= 0 && number <= Long.MAX_VALUE >> shift) {
                return number << shift;
            }
        }
        throw new IllegalArgumentException(
                "'" + text + "' is not a size; write for example 96MiB (B, KiB, MiB, GiB)");
    }

    /** A duration such as {@code 500ms}, {@code 30s} or {@code 5m}. */
    static Duration duration(String text) {
        Matcher matcher = QUANTITY.matcher(text);
        if (matcher.matches() && matcher.group(1).length() <= 9) {
            long number = Long.parseLong(matcher.group(1));
            switch (matcher.group(2)) {
                case "ms" -> {
                    return Duration.ofMillis(number);
                }
                case "s" -> {
                    return Duration.ofSeconds(number);
                }
                case "m" -> {
                    return Duration.ofMinutes(number);
                }
                default -> {
                    // Not a unit of time.
                }
            }
        }
        throw new IllegalArgumentException(
                "'" + text + "' is not a duration; write for example 30s (ms, s, m)");
    }

    /** A size in the largest unit that expresses it exactly. */
    static String words(long bytes) {
        int unit = 0;
        long number = bytes;
        while (unit < 3 && number != 0 && number % 1024 == 0) {
            number /= 1024;
            unit++;
        }
        return number + new String[] {"B", "KiB", "MiB", "GiB"}[unit];
    }
}
