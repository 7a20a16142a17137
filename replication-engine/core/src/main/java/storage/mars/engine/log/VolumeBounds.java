// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

/** The sizes of a replica's volumes, so that no record reaches beyond them. */
@FunctionalInterface
public interface VolumeBounds {

    /** Bytes of that volume; negative when there is none. */
    long sizeBytes(int volume);
}
