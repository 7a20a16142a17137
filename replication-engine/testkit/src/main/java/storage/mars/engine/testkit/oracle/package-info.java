// SPDX-License-Identifier: Apache-2.0
/** What must be true of the data whatever happened; knows blocks and log order, no engine. */
@NullMarked
package storage.mars.engine.testkit.oracle;

import org.jspecify.annotations.NullMarked;
