// SPDX-License-Identifier: Apache-2.0
/** Worlds of machines that boot, crash anywhere and boot again. */
@NullMarked
package storage.mars.engine.testkit.sim;

import org.jspecify.annotations.NullMarked;
