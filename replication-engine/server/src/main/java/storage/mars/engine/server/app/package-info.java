/** The process: wiring, start and stop. */
@NullMarked
package storage.mars.engine.server.app;

import org.jspecify.annotations.NullMarked;
