/** One engine's copy of a resource: its role, its life cycle and its recovery. */
@NullMarked
package storage.mars.engine.replica;

import org.jspecify.annotations.NullMarked;
