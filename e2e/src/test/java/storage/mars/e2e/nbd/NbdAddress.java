// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e.nbd;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;

/** Where an NBD server listens. */
public sealed interface NbdAddress {

    SocketChannel connect() throws IOException;

    /** The URI under which NBD tools find an export of this server. */
    String uri(String export);

    record Tcp(String host, int port) implements NbdAddress {
        @Override
        public SocketChannel connect() throws IOException {
            var channel = SocketChannel.open(new InetSocketAddress(host, port));
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            return channel;
        }

        @Override
        public String uri(String export) {
            return "nbd://" + host + ":" + port + "/" + export;
        }
    }

    record Unix(Path socket) implements NbdAddress {
        @Override
        public SocketChannel connect() throws IOException {
            var channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            try {
                channel.connect(UnixDomainSocketAddress.of(socket));
            } catch (IOException e) {
                channel.close();
                throw e;
            }
            return channel;
        }

        @Override
        public String uri(String export) {
            return "nbd+unix:///" + export + "?socket=" + socket;
        }
    }
}
