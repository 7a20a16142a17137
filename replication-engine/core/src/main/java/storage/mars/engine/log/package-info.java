// SPDX-License-Identifier: Apache-2.0
/**
 * The transaction log of a resource: format, window, writer, segments, reader, epochs and replica
 * metadata.
 */
@NullMarked
package storage.mars.engine.log;

import org.jspecify.annotations.NullMarked;
