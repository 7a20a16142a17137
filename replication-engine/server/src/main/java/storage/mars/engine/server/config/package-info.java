/** Settings: keys, defaults, validation and the command line. */
@NullMarked
package storage.mars.engine.server.config;

import org.jspecify.annotations.NullMarked;
