/** The replicas of all shards of an engine, as threads other than the shards reach them. */
@NullMarked
package storage.mars.engine.server.host;

import org.jspecify.annotations.NullMarked;
