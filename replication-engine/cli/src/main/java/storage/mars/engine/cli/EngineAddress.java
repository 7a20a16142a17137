// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.cli;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Where an engine listens for control: {@code HOST:PORT}, {@code [::1]:PORT}. */
record EngineAddress(String host, int port) {

    private static final Pattern SYNTAX =
            Pattern.compile("(?<host>[^\\s:\\[\\]]+|\\[[0-9A-Fa-f:.%]+\\]):(?<port>\\d{1,5})");
    private static final String PROGRAM = "marsadm ";

    static EngineAddress parse(String text) {
        var match = SYNTAX.matcher(text);
        if (!match.matches()) {
            throw new IllegalArgumentException("'" + text + "' is not HOST:PORT");
        }
        int port = Integer.parseInt(match.group("port"));
        if (port == 0 || port > 65_535) {
            throw new IllegalArgumentException("port " + port + " is not between 1 and 65535");
        }
        requireHostName(match.group("host"));
        return new EngineAddress(match.group("host").replaceAll("[\\[\\]]", ""), port);
    }

    /** The RPC library takes what may stand in a URI, RFC 3986 and RFC 1123. */
    private static void requireHostName(String host) {
        if (!host.equals(hostOf("//" + host + ":1"))) {
            throw new IllegalArgumentException(
                    "'"
                            + host
                            + "' is no host name (letters, digits, '-' and '.'): give the address"
                            + " of the host instead");
        }
    }

    private static @Nullable String hostOf(String uri) {
        try {
            return new URI(uri).getHost();
        } catch (URISyntaxException e) {
            return null;
        }
    }

    /** A {@code marsadm} command line, made to ask this engine unless it names one itself. */
    String addressed(String command) {
        return command.startsWith(PROGRAM) && !command.contains("--engine")
                ? PROGRAM + "--engine " + this + " " + command.substring(PROGRAM.length())
                : command;
    }

    @Override
    public String toString() {
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }
}
