// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli.output;

import org.jspecify.annotations.Nullable;
import storage.mars.engine.api.v1.Condition;

/** A condition in JSON; the component names are the documented keys. */
record ConditionJson(
        String type, String status, String reason, String message, @Nullable String nextCommand) {

    static ConditionJson of(Condition condition) {
        return new ConditionJson(
                condition.getType(),
                condition.getStatus(),
                condition.getReason(),
                condition.getMessage(),
                JsonValue.textOrNull(condition.getNextCommand()));
    }
}
