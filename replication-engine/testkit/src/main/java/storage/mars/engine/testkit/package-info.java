// SPDX-License-Identifier: Apache-2.0
/** Scenarios and the soak that runs them seed after seed. */
@NullMarked
package storage.mars.engine.testkit;

import org.jspecify.annotations.NullMarked;
