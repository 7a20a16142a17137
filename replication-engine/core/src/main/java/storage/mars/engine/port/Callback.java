// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.port;

import org.jspecify.annotations.Nullable;

/** Told once, on the shard that asked, what an operation yielded. */
@FunctionalInterface
public interface Callback<T> {

    /** Exactly one of the two is non-null. */
    void completed(@Nullable T value, @Nullable IoFailure failure);
}
