// SPDX-License-Identifier: Apache-2.0
/** How engines talk: messages, shipping and pulling of the log, copying of blocks. */
@NullMarked
package storage.mars.engine.replication;

import org.jspecify.annotations.NullMarked;
