// SPDX-License-Identifier: Apache-2.0
/** How sizes and spans of time are read from a command line and written for people. */
@NullMarked
package storage.mars.engine.cli.unit;

import org.jspecify.annotations.NullMarked;
