// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.disk;

/** Which of a file's contents an onlooker means. */
public enum View {
    /** The least that a power cut now would leave of completed writes. */
    DURABLE,
    /**
     * What a read now returns; also the most that a power cut now would leave of completed writes.
     */
    CURRENT,
    /** What a read past the cache returns: all but what a failed sync has lost. */
    DEVICE
}
