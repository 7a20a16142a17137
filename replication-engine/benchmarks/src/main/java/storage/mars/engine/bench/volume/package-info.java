// SPDX-License-Identifier: Apache-2.0
/** Benchmarks of package volume. */
@NullMarked
package storage.mars.engine.bench.volume;

import org.jspecify.annotations.NullMarked;
