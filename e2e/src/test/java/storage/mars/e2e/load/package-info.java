// SPDX-License-Identifier: Apache-2.0
/** Load that knows what it wrote, and the checks of what a replica may hold afterwards. */
@NullMarked
package storage.mars.e2e.load;

import org.jspecify.annotations.NullMarked;
