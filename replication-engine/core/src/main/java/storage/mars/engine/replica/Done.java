// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

/** The result of what has none: it is done. */
public enum Done {
    DONE
}
