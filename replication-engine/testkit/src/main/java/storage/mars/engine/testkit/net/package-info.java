// SPDX-License-Identifier: Apache-2.0
/** Links between machines: late, cut, half-open, crossing, never wrong within one link. */
@NullMarked
package storage.mars.engine.testkit.net;

import org.jspecify.annotations.NullMarked;
