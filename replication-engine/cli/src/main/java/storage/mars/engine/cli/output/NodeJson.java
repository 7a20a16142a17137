// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli.output;

import java.util.List;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.api.v1.Addresses;
import storage.mars.engine.api.v1.Capacity;
import storage.mars.engine.api.v1.Node;

/** An engine in JSON; the component names are the documented keys. */
record NodeJson(
        String name,
        String id,
        String version,
        @Nullable String startedAt,
        int replicas,
        AddressesJson addresses,
        CapacityJson capacity) {

    static NodeJson of(Node node) {
        return new NodeJson(
                node.getName(),
                node.getId(),
                node.getVersion(),
                node.hasStartedAt() ? JsonValue.time(node.getStartedAt()) : null,
                node.getReplicas(),
                AddressesJson.of(node.getAddresses()),
                CapacityJson.of(node.getCapacity()));
    }

    record AddressesJson(
            List<String> nbd,
            @Nullable String peer,
            @Nullable String advertise,
            @Nullable String control,
            @Nullable String http) {
        static AddressesJson of(Addresses addresses) {
            return new AddressesJson(
                    addresses.getNbdList(),
                    JsonValue.textOrNull(addresses.getPeer()),
                    JsonValue.textOrNull(addresses.getAdvertise()),
                    JsonValue.textOrNull(addresses.getControl()),
                    JsonValue.textOrNull(addresses.getHttp()));
        }
    }

    record CapacityJson(
            long totalBytes, long availableBytes, long logMemoryBytes, long logMemoryUsedBytes) {
        static CapacityJson of(Capacity capacity) {
            return new CapacityJson(
                    capacity.getTotalBytes(),
                    capacity.getAvailableBytes(),
                    capacity.getLogMemoryBytes(),
                    capacity.getLogMemoryUsedBytes());
        }
    }
}
