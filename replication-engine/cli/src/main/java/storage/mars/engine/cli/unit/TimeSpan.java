// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli.unit;

import java.time.Duration;
import java.util.Locale;
import java.util.regex.Pattern;

/** A span of time as people write it: {@code 60s}, {@code 5m}, {@code 250ms}, {@code 1h}. */
public record TimeSpan(Duration duration) {

    private static final Pattern SYNTAX = Pattern.compile("(\\d{1,9})(ms|s|m|h)");

    public TimeSpan {
        if (duration.isNegative()) {
            throw new IllegalArgumentException("a span of time cannot be negative");
        }
    }

    public static TimeSpan ofSeconds(double seconds) {
        return new TimeSpan(Duration.ofMillis(Math.round(seconds * 1000)));
    }

    public static TimeSpan parse(String text) {
        var match = SYNTAX.matcher(text);
        if (!match.matches()) {
            throw new IllegalArgumentException(
                    "'" + text + "' is not a span of time: write 60s, 5m, 1h or 250ms");
        }
        long count = Long.parseLong(match.group(1));
        return new TimeSpan(
                switch (match.group(2)) {
                    case "ms" -> Duration.ofMillis(count);
                    case "s" -> Duration.ofSeconds(count);
                    case "m" -> Duration.ofMinutes(count);
                    default -> Duration.ofHours(count);
                });
    }

    /** The two largest units that matter. */
    @Override
    public String toString() {
        long seconds = duration.toSeconds();
        if (seconds == 0) {
            return duration.toMillis() + " ms";
        }
        if (seconds < 10) {
            return String.format(Locale.ROOT, "%.1f s", duration.toMillis() / 1000.0);
        }
        if (seconds < 60) {
            return seconds + " s";
        }
        if (seconds < 3600) {
            return pair(duration.toMinutes(), "m", duration.toSecondsPart(), "s");
        }
        return duration.toDays() == 0
                ? pair(duration.toHours(), "h", duration.toMinutesPart(), "m")
                : pair(duration.toDays(), "d", duration.toHoursPart(), "h");
    }

    private static String pair(long large, String largeUnit, int small, String smallUnit) {
        return String.format(Locale.ROOT, "%d%s %02d%s", large, largeUnit, small, smallUnit);
    }
}
