// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

/** What a subcommand does once its arguments are read. */
@FunctionalInterface
interface Verb {

    /**
     * @throws CommandFailure when the verb did not get what it asked for
     */
    void run(Session session);
}
