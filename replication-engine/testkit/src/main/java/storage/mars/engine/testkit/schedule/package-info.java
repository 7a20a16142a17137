// SPDX-License-Identifier: Apache-2.0
/** Virtual time: one seeded queue of everything that happens, and its trace. */
@NullMarked
package storage.mars.engine.testkit.schedule;

import org.jspecify.annotations.NullMarked;
