// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.testkit.disk;

import java.nio.ByteBuffer;
import storage.mars.engine.port.Storage;

/** Looks on what is written to a disk, for checks that hold at every moment. */
public interface DiskObserver {

    /** The engine asks for a write; {@code bytes} are a copy of the view of its buffer. */
    default void writing(String name, Storage.Kind kind, long position, ByteBuffer bytes) {}

    /** These bytes of the file have just been proven durable; {@code bytes} is one page. */
    default void durable(String name, Storage.Kind kind, long position, byte[] bytes) {}
}
