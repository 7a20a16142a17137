// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli.output;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import storage.mars.engine.api.v1.Addresses;
import storage.mars.engine.api.v1.Capacity;
import storage.mars.engine.api.v1.Node;
import storage.mars.engine.cli.unit.ByteSize;

/** What an engine says about itself. */
final class NodePage {

    private final List<String> lines = new ArrayList<>();

    private NodePage() {}

    static List<String> lines(Node node) {
        var page = new NodePage();
        page.lines.add(
                "engine %s, version %s, %d resources"
                        .formatted(node.getName(), node.getVersion(), node.getReplicas()));
        page.fact("id", node.getId());
        if (node.hasStartedAt()) {
            page.fact("started", Moments.toTheSecond(node.getStartedAt()));
        }
        page.addresses(node.getAddresses());
        page.capacity(node.getCapacity());
        return page.lines;
    }

    private void addresses(Addresses addresses) {
        addresses.getNbdList().forEach(address -> fact("nbd", address));
        fact("peer", addresses.getPeer());
        fact("advertise", addresses.getAdvertise());
        fact("control", addresses.getControl());
        fact("http", addresses.getHttp());
    }

    private void capacity(Capacity capacity) {
        fact("storage", part(capacity.getAvailableBytes(), capacity.getTotalBytes()) + " free");
        fact(
                "log memory",
                part(capacity.getLogMemoryUsedBytes(), capacity.getLogMemoryBytes()) + " used");
    }

    private static String part(long bytes, long of) {
        return new ByteSize(bytes) + " of " + new ByteSize(of);
    }

    private void fact(String name, String value) {
        if (!value.isEmpty()) {
            lines.add(String.format(Locale.ROOT, "  %-10s %s", name, value));
        }
    }
}
