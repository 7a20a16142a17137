/** The connections between engines that carry logs and blocks. */
@NullMarked
package storage.mars.engine.server.peer;

import org.jspecify.annotations.NullMarked;
