// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

/** For people, or for programs. */
enum OutputFormat {
    TABLE,
    JSON;

    @Override
    public String toString() {
        return OptionValue.of(this);
    }
}
