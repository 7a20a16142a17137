/** marsadm, the command line of the control API. */
@NullMarked
package storage.mars.engine.cli;

import org.jspecify.annotations.NullMarked;
