/** JMH benchmarks of the hot classes. */
@NullMarked
package storage.mars.engine.bench;

import org.jspecify.annotations.NullMarked;
