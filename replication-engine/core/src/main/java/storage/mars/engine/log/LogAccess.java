// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

import java.util.function.Supplier;

/**
 * What is needed to find bytes of the log again: its tail in memory, its segments, staging memory,
 * the epochs.
 */
public record LogAccess(
        LogTail tail,
        LogBatchReader reader,
        AlignedBuffers buffers,
        Supplier<EpochHistory> history) {}
