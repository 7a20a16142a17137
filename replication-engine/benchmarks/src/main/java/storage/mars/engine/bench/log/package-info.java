// SPDX-License-Identifier: Apache-2.0
/** Benchmarks of package log. */
@NullMarked
package storage.mars.engine.bench.log;

import org.jspecify.annotations.NullMarked;
