// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.schedule;

import org.jspecify.annotations.Nullable;

/** A run has shown a defect: a broken promise, a broken contract, or a goal not reached in time. */
public final class SimFailure extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public SimFailure(String message) {
        super(message);
    }

    public SimFailure(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
