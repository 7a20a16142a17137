// SPDX-License-Identifier: Apache-2.0
/** Proofs with real processes, sockets and block device clients. */
@NullMarked
package storage.mars.e2e;

import org.jspecify.annotations.NullMarked;
