// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.oracle;

/** The content of a set of volumes as it is at one moment. */
@FunctionalInterface
public interface Content {

    byte[] read(int volume, long offset, int length);
}
