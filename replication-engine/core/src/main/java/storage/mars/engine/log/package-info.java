/** The transaction log of a resource: its format, its writer, its segments and its recovery. */
@NullMarked
package storage.mars.engine.log;

import org.jspecify.annotations.NullMarked;
