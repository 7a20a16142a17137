// SPDX-License-Identifier: Apache-2.0
/** Benchmarks of package replication. */
@NullMarked
package storage.mars.engine.bench.replication;

import org.jspecify.annotations.NullMarked;
