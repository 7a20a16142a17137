// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.log;

/**
 * Assertions that stay on in production: a broken one is a bug of ours and stops the resource,
 * never the data.
 */
public final class Invariant {

    private Invariant() {}

    /**
     * Throws when {@code holds} is false; {@code claim} is a constant that says what should have
     * held.
     */
    public static void check(boolean holds, String claim) {
        if (!holds) {
            throw new InvariantViolation(claim);
        }
    }

    /** The same with two numbers for the report, which are boxed only when it fails. */
    public static void check(boolean holds, String claim, long a, long b) {
        if (!holds) {
            throw new InvariantViolation(claim + " (" + a + ", " + b + ")");
        }
    }

    /** Something that cannot be, has been. */
    public static final class InvariantViolation extends IllegalStateException {

        private static final long serialVersionUID = 1;

        InvariantViolation(String claim) {
            super(claim);
        }
    }
}
