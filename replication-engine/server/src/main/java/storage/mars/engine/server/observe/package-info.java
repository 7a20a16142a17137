/** Metrics, health and logging. */
@NullMarked
package storage.mars.engine.server.observe;

import org.jspecify.annotations.NullMarked;
