/** The NBD protocol: handshake, transmission and its limits. */
@NullMarked
package storage.mars.engine.server.nbd;

import org.jspecify.annotations.NullMarked;
