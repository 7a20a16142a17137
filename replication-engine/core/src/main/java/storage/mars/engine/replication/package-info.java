/** Replication of a log between members: shipping, pulling, sync and repair. */
@NullMarked
package storage.mars.engine.replication;

import org.jspecify.annotations.NullMarked;
