// SPDX-License-Identifier: Apache-2.0
/**
 * The engine itself in the simulated world: its machines, its stories and what is checked of them.
 */
@NullMarked
package storage.mars.engine.testkit.engine;

import org.jspecify.annotations.NullMarked;
