// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.disk;

/** Which of a file's two contents an onlooker means. */
public enum View {
    /** The least that a power cut now would leave of completed writes. */
    DURABLE,
    /**
     * What a read now returns; also the most that a power cut now would leave of completed writes.
     */
    CURRENT
}
