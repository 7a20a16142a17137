// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.config;

import java.util.List;

/**
 * How block devices are served.
 *
 * @param addresses where; at least one
 * @param insecure whether addresses that other machines reach are wanted although NBD is plain text
 *     there and asks nobody who he is
 * @param listed whether clients that ask for the names of the exports are told
 * @param rotational whether clients are told that the devices are rotating disks
 */
public record NbdSettings(
        List<NbdAddress> addresses, boolean insecure, boolean listed, boolean rotational) {

    public NbdSettings {
        addresses = List.copyOf(addresses);
        if (addresses.isEmpty()) {
            throw new IllegalArgumentException("--nbd: at least one address is needed");
        }
    }
}
