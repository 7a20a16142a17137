// SPDX-License-Identifier: Apache-2.0
/** What the engine answered, as text for people and as JSON for programs. */
@NullMarked
package storage.mars.engine.cli.output;

import org.jspecify.annotations.NullMarked;
