// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli.unit;

import java.util.Locale;
import java.util.regex.Pattern;

/** A number of bytes as people write it: {@code 1GiB}, {@code 256MiB}, {@code 512M}, 4096. */
public record ByteSize(long bytes) {

    private static final Pattern SYNTAX = Pattern.compile("(\\d+)(?:([KMGTP])(?:iB)?|B)?");
    private static final String PREFIXES = "KMGTP";
    private static final int BLOCK = 4096;

    public ByteSize {
        if (bytes < 0) {
            throw new IllegalArgumentException("a size cannot be negative");
        }
    }

    /**
     * K, M, G, T, P are powers of 1024 with or without {@code iB}; what is ambiguous is refused.
     */
    public static ByteSize parse(String text) {
        var match = SYNTAX.matcher(text);
        if (!match.matches()) {
            throw new IllegalArgumentException(
                    "'" + text + "' is not a size: write whole numbers such as 1GiB, 512M or 4096");
        }
        try {
            long unit = match.group(2) == null ? 1 : 1L << (10 * (1 + prefix(match.group(2))));
            return new ByteSize(Math.multiplyExact(Long.parseLong(match.group(1)), unit));
        } catch (ArithmeticException | NumberFormatException tooLarge) {
            throw new IllegalArgumentException("'" + text + "' is too large", tooLarge);
        }
    }

    private static int prefix(String letter) {
        return PREFIXES.indexOf(letter);
    }

    /** This size, when it can be that of a volume or a log. */
    public ByteSize inBlocks() {
        if (bytes == 0 || bytes % BLOCK != 0) {
            throw new IllegalArgumentException(
                    bytes
                            + " bytes is not a multiple of 4096 above 0; the next one is "
                            + nextInBlocks());
        }
        return this;
    }

    private long nextInBlocks() {
        return (bytes / BLOCK + 1) * BLOCK;
    }

    @Override
    public String toString() {
        if (bytes < 1024) {
            return bytes + " B";
        }
        double value = bytes;
        int power = -1;
        while (value >= 1024 && power < PREFIXES.length() - 1) {
            value /= 1024;
            power++;
        }
        return String.format(Locale.ROOT, "%.1f %ciB", value, PREFIXES.charAt(power));
    }
}
