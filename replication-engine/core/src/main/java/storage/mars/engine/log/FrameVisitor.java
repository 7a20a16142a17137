// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

/** Shown verified frames in log order. */
@FunctionalInterface
public interface FrameVisitor {

    /**
     * The view is valid until the method returns. PAD frames are shown too; they have no records.
     */
    void frame(FrameView frame);
}
