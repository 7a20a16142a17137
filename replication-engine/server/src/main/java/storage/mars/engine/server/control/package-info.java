/** The control API over gRPC. */
@NullMarked
package storage.mars.engine.server.control;

import org.jspecify.annotations.NullMarked;
