// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.io;

import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import storage.mars.engine.port.Entropy;

/** The kernel's random numbers, without waiting for any. Callable from any thread. */
public final class SecureEntropy implements Entropy {

    private final SecureRandom random;

    public SecureEntropy() {
        try {
            this.random = SecureRandom.getInstance("NativePRNGNonBlocking");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("This JDK offers no /dev/urandom generator", e);
        }
    }

    @Override
    public long nextLong() {
        return random.nextLong();
    }
}
