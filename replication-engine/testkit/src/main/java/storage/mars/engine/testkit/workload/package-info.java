// SPDX-License-Identifier: Apache-2.0
/** Seeded clients of a volume that write what they can recognise. */
@NullMarked
package storage.mars.engine.testkit.workload;

import org.jspecify.annotations.NullMarked;
