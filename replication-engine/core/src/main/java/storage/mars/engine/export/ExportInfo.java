// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.export;

import java.util.HexFormat;

/**
 * What is constant for one attachment: name ("RESOURCE/VOLUME"), size in bytes, whether writes are
 * refused, and the incarnation, which changes whenever acknowledged data may have gone back.
 */
public record ExportInfo(String name, long sizeBytes, boolean readOnly, long incarnation) {

    /** The incarnation as people see it: 16 hex digits. */
    public String incarnationText() {
        return incarnationText(incarnation);
    }

    /** The same for any incarnation. */
    public static String incarnationText(long incarnation) {
        return HexFormat.of().toHexDigits(incarnation);
    }
}
