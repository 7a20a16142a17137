// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.export;

/** How a request ended; each protocol maps these to its own codes in one place. */
public enum Outcome {
    OK,
    /** The export does not accept writes from this attachment. */
    READ_ONLY,
    /** A write or zero beyond the end of the volume. */
    BEYOND_END,
    /** Any other request that no state of the volume could serve. */
    INVALID,
    /** Storage could not read what was needed, or has failed for good. */
    FAILED,
    /**
     * The export has closed under the request (role change, shutdown): whether it took effect is
     * not known. The protocol ends the connection instead of answering.
     */
    CLOSED
}
