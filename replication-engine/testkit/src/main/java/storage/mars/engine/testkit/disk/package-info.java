// SPDX-License-Identifier: Apache-2.0
/** One machine's disk: what is on its media, what only seems to be, and what goes wrong. */
@NullMarked
package storage.mars.engine.testkit.disk;

import org.jspecify.annotations.NullMarked;
