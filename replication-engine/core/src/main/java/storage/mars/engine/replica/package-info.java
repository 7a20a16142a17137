// SPDX-License-Identifier: Apache-2.0
/**
 * A replica as a whole: its life from opening to deletion, its role, its members, and the host of
 * all replicas.
 */
@NullMarked
package storage.mars.engine.replica;

import org.jspecify.annotations.NullMarked;
