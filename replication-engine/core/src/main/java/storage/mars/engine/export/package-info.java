// SPDX-License-Identifier: Apache-2.0
/** What a client of a volume sees: attachments, requests, their order and their answers. */
@NullMarked
package storage.mars.engine.export;

import org.jspecify.annotations.NullMarked;
