// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.peer;

import io.netty.channel.ConnectTimeoutException;
import io.netty.handler.codec.DecoderException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;

/** Says in words for the operator why a connection failed. */
final class PeerFailures {

    private PeerFailures() {}

    /** Whether networks and other engines cause this, rather than a fault of this engine. */
    static boolean isExpected(Throwable cause) {
        return cause instanceof IOException || cause instanceof DecoderException;
    }

    static String words(Throwable cause) {
        return switch (cause) {
            case ConnectTimeoutException e -> "no answer in time";
            case NoRouteToHostException e -> "no route to host";
            case ConnectException e -> "connection refused";
            case UnknownHostException e -> "unknown host";
            case IOException e when e.getMessage() != null -> e.getMessage();
            case DecoderException e when e.getMessage() != null -> e.getMessage();
            default -> cause.toString();
        };
    }
}
