// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.control;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import storage.mars.engine.server.config.NbdAddress;

/** Under which NBD URIs an export is served, by every listener in the order of the command line. */
record ExportUris(List<NbdAddress> listeners) {

    List<String> of(String export) {
        return listeners.stream().map(address -> uri(address, export)).toList();
    }

    private static String uri(NbdAddress address, String export) {
        return switch (address) {
            case NbdAddress.Unix unix ->
                    "nbd+unix:///" + export + "?socket=" + encoded(unix.path());
            case NbdAddress.Tcp tcp -> "nbd://" + tcp.address() + "/" + export;
        };
    }

    private static String encoded(Path path) {
        return URLEncoder.encode(path.toString(), StandardCharsets.UTF_8)
                .replace("%2F", "/")
                .replace("+", "%20");
    }
}
