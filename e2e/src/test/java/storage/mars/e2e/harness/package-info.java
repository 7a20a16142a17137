// SPDX-License-Identifier: Apache-2.0
/** Starts, stops, cuts and asks the processes under test. */
@NullMarked
package storage.mars.e2e.harness;

import org.jspecify.annotations.NullMarked;
