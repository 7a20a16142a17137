// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli.output;

import org.jspecify.annotations.Nullable;

/** The end of a replica or of a membership in JSON; the component names are the documented keys. */
record DepartureJson(String name, @Nullable String member, boolean gone, boolean existed) {

    static DepartureJson of(Departure departure) {
        return new DepartureJson(
                departure.resource(),
                JsonValue.textOrNull(departure.member()),
                true,
                departure.existed());
    }
}
