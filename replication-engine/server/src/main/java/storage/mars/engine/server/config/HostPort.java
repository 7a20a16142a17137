// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.config;

import io.netty.util.NetUtil;
import java.util.regex.Pattern;

/**
 * A TCP address as people write it: {@code host:port}, {@code 10.0.0.1:port}, {@code [::1]:port}.
 */
public record HostPort(String host, int port) {

    private static final Pattern HOST_NAME = Pattern.compile("[A-Za-z0-9]([A-Za-z0-9._-]*)");
    private static final Pattern DIGITS = Pattern.compile("[0-9]{1,5}");

    public HostPort {
        if (!HOST_NAME.matcher(host).matches() && !NetUtil.isValidIpV6Address(host)) {
            throw new IllegalArgumentException("'" + host + "' is not a host name or IP address");
        }
        if (port < 1 || port > 65_535) {
            throw new IllegalArgumentException("port " + port + " is not within 1 and 65535");
        }
    }

    /** Reads what {@link #toString} writes; fails with a message that says what is wrong. */
    public static HostPort parse(String text) {
        int colon = text.lastIndexOf(':');
        if (colon < 0) {
            throw new IllegalArgumentException(
                    "'" + text + "' has no port; write HOST:PORT, for example 127.0.0.1:7789");
        }
        String host = text.substring(0, colon);
        boolean bracketed = host.startsWith("[") && host.endsWith("]");
        if (!bracketed && host.indexOf(':') >= 0) {
            throw new IllegalArgumentException(
                    "'" + text + "' is ambiguous; write an IPv6 address in brackets: [::1]:7789");
        }
        if (bracketed) {
            host = host.substring(1, host.length() - 1);
            if (!NetUtil.isValidIpV6Address(host)) {
                throw new IllegalArgumentException("'" + host + "' is not an IPv6 address");
            }
        }
        String port = text.substring(colon + 1);
        if (!DIGITS.matcher(port).matches()) {
            throw new IllegalArgumentException("'" + port + "' is not a port number");
        }
        return new HostPort(host, Integer.parseInt(port));
    }

    @Override
    public String toString() {
        return host.indexOf(':') >= 0 ? "[" + host + "]:" + port : host + ":" + port;
    }
}
