/** The production side of the engine's ports: files, system calls and event loops. */
@NullMarked
package storage.mars.engine.server.io;

import org.jspecify.annotations.NullMarked;
