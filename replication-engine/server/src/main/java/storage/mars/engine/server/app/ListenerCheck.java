// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.app;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.SocketException;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;
import storage.mars.engine.server.config.EngineSettings;
import storage.mars.engine.server.config.EngineSettings.Listener;
import storage.mars.engine.server.config.HostPort;
import storage.mars.engine.server.config.NbdAddress;

/**
 * Tries all addresses that the engine is to listen at, before anything of it starts, and lets NBD,
 * which is plain text, out of this machine only where that is wanted.
 */
final class ListenerCheck {

    private ListenerCheck() {}

    /**
     * Refuses with the first address that cannot be had, or must not be; leaves nothing open and
     * nothing changed.
     */
    static void requireAvailable(EngineSettings settings) throws StartRefusedException {
        for (NbdAddress address : settings.nbd().addresses()) {
            switch (address) {
                case NbdAddress.Unix unix -> checkUnix(unix.path());
                case NbdAddress.Tcp tcp -> checkTrust(tcp.address(), settings.nbd().insecure());
            }
        }
        for (Listener listener : settings.tcpListeners()) {
            HostPort tcp = listener.tcp();
            if (tcp != null) {
                checkTcp(listener.option(), tcp);
            }
        }
    }

    private static void checkTrust(HostPort address, boolean insecure)
            throws StartRefusedException {
        String what = "--nbd " + address;
        try {
            if (!insecure && !areOwn(InetAddress.getAllByName(address.host()))) {
                throw new StartRefusedException(
                        what
                                + " can be reached from other machines, and NBD is plain text"
                                + " without authentication: give a loopback address or unix:PATH,"
                                + " or add --insecure-nbd if everybody who reaches it may read and"
                                + " write every volume");
            }
        } catch (UnknownHostException e) {
            throw unknownHost(what);
        }
    }

    /** Whether nobody but this machine reaches any of the addresses that a name has. */
    static boolean areOwn(InetAddress... addresses) {
        return Arrays.stream(addresses).allMatch(InetAddress::isLoopbackAddress);
    }

    private static StartRefusedException unknownHost(String what) {
        return new StartRefusedException(what + ": unknown host: give an address of this machine");
    }

    private static void checkTcp(String option, HostPort address) throws StartRefusedException {
        String what = option + " " + address;
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            InetAddress host = InetAddress.getByName(address.host());
            socket.bind(new InetSocketAddress(host, address.port()));
        } catch (UnknownHostException e) {
            throw unknownHost(what);
        } catch (BindException e) {
            throw new StartRefusedException(what + reason(e));
        } catch (SocketException e) {
            throw new StartRefusedException(
                    what + ": " + e.getMessage() + ": choose a port above 1023");
        } catch (IOException e) {
            throw new StartRefusedException(what + ": " + e.getMessage());
        }
    }

    private static String reason(BindException failure) {
        String message = String.valueOf(failure.getMessage());
        if (message.contains("Permission denied")) {
            return ": permission denied: choose a port above 1023";
        }
        return message.contains("assign requested")
                ? " is not an address of this machine: give one that it has"
                : " is in use by another process: stop that process or choose another port";
    }

    private static void checkUnix(Path path) throws StartRefusedException {
        String what = "--nbd unix:" + path;
        Path parent = path.getParent();
        if (parent == null || !Files.isDirectory(parent)) {
            throw new StartRefusedException(
                    what + ": " + parent + " is not a directory: create it or choose another path");
        }
        if (!Files.isWritable(parent)) {
            throw new StartRefusedException(what + ": no permission to create files in " + parent);
        }
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        if (Files.isRegularFile(path) || Files.isDirectory(path)) {
            throw new StartRefusedException(
                    what + " exists and is no socket: remove it or choose another path");
        }
        if (answers(path)) {
            throw new StartRefusedException(
                    what
                            + " is in use by another process:"
                            + " stop that process or choose another path");
        }
    }

    /** A socket file of an engine that was killed refuses connections; it may be replaced. */
    private static boolean answers(Path path) {
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            return channel.isConnected();
        } catch (IOException e) {
            return false;
        }
    }
}
