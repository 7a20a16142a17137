// SPDX-License-Identifier: Apache-2.0
/** The ports in memory, with every completion in the hands of the test, and a log built on them. */
@NullMarked
package storage.mars.engine.fake;

import org.jspecify.annotations.NullMarked;
