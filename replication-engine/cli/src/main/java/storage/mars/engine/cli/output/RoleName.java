// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli.output;

import org.jspecify.annotations.Nullable;
import storage.mars.engine.api.v1.Role;

/** The two roles as the glossary writes them. */
final class RoleName {

    private RoleName() {}

    /** Null while the role is not known. */
    static @Nullable String orNull(Role role) {
        return switch (role) {
            case ROLE_PRIMARY -> "primary";
            case ROLE_SECONDARY -> "secondary";
            case ROLE_UNSPECIFIED, UNRECOGNIZED -> null;
        };
    }

    static String of(Role role) {
        String name = orNull(role);
        return name == null ? "?" : name;
    }
}
