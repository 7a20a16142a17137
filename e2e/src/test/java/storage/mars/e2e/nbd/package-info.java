// SPDX-License-Identifier: Apache-2.0
/** A blocking NBD client of our own, for tests. */
@NullMarked
package storage.mars.e2e.nbd;

import org.jspecify.annotations.NullMarked;
