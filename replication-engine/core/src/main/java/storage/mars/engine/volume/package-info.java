/** Volumes: the images, the index over the log, write-back and checkpoints. */
@NullMarked
package storage.mars.engine.volume;

import org.jspecify.annotations.NullMarked;
