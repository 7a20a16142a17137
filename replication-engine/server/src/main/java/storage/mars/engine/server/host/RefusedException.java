// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.host;

import storage.mars.engine.replica.Refusal;

/** What was asked for is not done, for a reason that the operator is told. Has no stack trace. */
public final class RefusedException extends Exception {

    private static final long serialVersionUID = 1L;

    private final transient Refusal refusal;

    public RefusedException(Refusal refusal) {
        super(refusal.toString(), null, false, false);
        this.refusal = refusal;
    }

    public Refusal refusal() {
        return refusal;
    }
}
