// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.config;

import java.util.List;

/**
 * How block devices are served.
 *
 * @param addresses where; at least one
 * @param insecure whether addresses that other machines reach are wanted although NBD is plain text
 *     there and asks nobody who he is
 */
public record NbdSettings(List<NbdAddress> addresses, boolean insecure) {

    public NbdSettings {
        addresses = List.copyOf(addresses);
        if (addresses.isEmpty()) {
            throw new IllegalArgumentException("--nbd: at least one address is needed");
        }
    }
}
