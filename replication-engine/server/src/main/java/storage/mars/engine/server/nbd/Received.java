// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

import io.netty.buffer.ByteBuf;

/** What a client says during the handshake. */
sealed interface Received {

    record ClientFlags(int flags) implements Received {}

    /** {@code data} is valid until the next message is asked for. */
    record Option(int id, ByteBuf data) implements Received {}

    /** An option whose data was too long to be kept and has gone by. */
    record SkippedOption(int id) implements Received {}

    /** Nothing after this can be understood. */
    record Garbage(String what) implements Received {}
}
