// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.port;

import org.jspecify.annotations.Nullable;

/**
 * Told once, on the shard that asked, that an operation has ended. Reusable where the asker allows
 * it.
 */
@FunctionalInterface
public interface Completion {

    /** {@code failure} is null exactly when the operation succeeded. */
    void completed(@Nullable IoFailure failure);
}
